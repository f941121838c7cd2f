package main

import (
	"regexp"
	"strings"
	"testing"

	"gatehouse/githubauth/githubtest"
)

func TestAdmit(t *testing.T) {
	t.Parallel()
	github := githubtest.Acme().Start()
	defer github.Close()
	data := t.TempDir()
	i := launch(t, self(t), data, github)
	fill(t, i, github.Wendy, "@acme/ui", "1.0.0")
	expect := func(token string, code int, says string, args ...string) {
		t.Helper()
		out, got := runGatehouse(t, token, append([]string{"admit"}, args...)...)
		if got != code || !regexp.MustCompile(says).MatchString(out) {
			t.Errorf("gatehouse admit %s: exit code %d, want %d, and it should say %s:\n%s", strings.Join(args, " "), got, code, says, out)
		}
	}
	there := []string{"--registry", i.url}
	expect(github.Wendy, 1, `wendy may not manage @acme/ui: that takes "admin"`, append(there, "@acme/ui", "acme/api")...)
	expect(github.Ada, 1, `say which repository`, append(there, "@acme/ui")...)
	expect(github.Ada, 0, `^@acme/ui admits no other repository's workflows\.\n$`, append(there, "@acme/ui", "--list")...)
	expect(github.Ada, 0, `^@acme/ui admits the workflows of acme/api \(\d+\)\.\n$`, append(there, "@acme/ui", "acme/api")...)
	expect(github.Ada, 1, `@acme/ui admits no repository acme/open`, append(there, "@acme/ui", "acme/open", "--remove")...)
	expect(github.Ada, 0, `admits no other`, append(there, "@acme/ui", "ACME/api", "--remove")...)

	onHost := append(onData(data), "--auth.github.api_url="+github.APIURL(), "--auth.github.web_url="+github.URL())
	expect("", 1, `no token to ask with`, append(onHost, "@acme/ui", "acme/api")...)
	expect(github.Rita, 1, `there is no package @acme/no`, append(onHost, "@acme/no", "acme/api")...)
	expect(github.Rita, 0, `admits the workflows of acme/api \(\d+\)\.\n$`, append(onHost, "@acme/ui", "acme/api")...)
	i.terminate(t)
	expect("", 0, `admits the workflows of acme/api \(\d+\), acme/web \(7\)\.\n$`, append(onHost, "@acme/ui", "acme/web", "--repository-id=7", "--owner-id=1")...)
	expect("", 0, `admits the workflows of acme/api \(\d+\)\.\n$`, append(onHost, "@acme/ui", "7", "--remove")...)
	expect("", 0, `admits the workflows of acme/api \(\d+\)\.\n$`, append(onHost, "@acme/ui", "--list")...)
}
