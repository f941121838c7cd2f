package main

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/githubauth/githubtest"
)

// TestOperatorTokens: seeing and ending tokens beside a registry that runs and on one that is stopped; and a restored registry, in which they work.
func TestOperatorTokens(t *testing.T) {
	t.Parallel()
	github := githubtest.Acme().Start()
	defer github.Close()
	data, other := t.TempDir(), t.TempDir()
	i := launch(t, self(t), data, github)
	type minted struct{ Token, Key string }
	mint := func(token, name string) (m minted) {
		t.Helper()
		req, err := http.NewRequest(http.MethodPost, i.url+"/-/npm/v1/tokens", strings.NewReader(`{"name":"`+name+`","packages_all":true,"packages_and_scopes_permission":"read-write"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if err := json.NewDecoder(resp.Body).Decode(&m); err != nil || m.Token == "" {
			t.Fatal(resp.Status, err)
		}
		return m
	}
	works := func(m minted, want bool) {
		t.Helper()
		if status, body := get(t, i.url+"/-/whoami", m.Token); (status == http.StatusOK) != want {
			t.Errorf("%d %s, and should it work? %v", status, body, want)
		}
	}
	laptop, ci, ritas := mint(github.Wendy, "laptop"), mint(github.Wendy, "ci"), mint(github.Rita, "of rita")
	works(laptop, true)
	works(ci, true)

	expectCommand(t, data, 0, `(?s)rita.*of rita.*wendy.*gth_....…  ci +write.*laptop`, "token", "list")
	expectCommand(t, data, 1, `no token whose id begins with "nothing"`, "token", "revoke", "nothing")
	expectCommand(t, data, 1, `--login`, "token", "revoke")
	expectCommand(t, data, 0, `Revoked 1 token\.\n(?s).*laptop`, "token", "revoke", laptop.Key[:8])
	works(laptop, false)
	works(ci, true)
	copied := filepath.Join(t.TempDir(), "backup.tar")
	expectCommand(t, data, 0, "", "backup", copied)
	i.terminate(t)

	expectCommand(t, data, 0, `wendy.*ci .*`+time.Now().UTC().Format("2006-"), "token", "list", "--login=Wendy") // and when it was used
	expectCommand(t, data, 0, `Revoked 1 token\.\n(?s).*of rita`, "token", "revoke", "--login=rita")
	expectCommand(t, data, 0, `There are no tokens`, "token", "list", "--login=rita")
	expectCommand(t, data, 0, `Nothing is wrong`, "fsck")
	if out, _ := operate(t, data, "token", "list"); strings.Contains(out, ci.Token[4:]) || !strings.Contains(out, ci.Token[:8]) {
		t.Errorf("%s", out)
	}

	expectCommand(t, other, 0, "", "restore", copied)
	i = launch(t, self(t), other, github)
	defer i.terminate(t)
	works(ci, true)
	works(ritas, true) // revoked after the backup
	works(laptop, false)
}
