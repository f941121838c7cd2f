package oidc

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

// FuzzClaims: what the reader takes has both numbers and names one repository, whose workflow it is.
func FuzzClaims(f *testing.F) {
	f.Add(`{"repository_id":"7","repository_owner_id":"1","repository":"acme/ui","repository_owner":"acme","workflow_ref":"acme/ui/.github/workflows/r.yml@refs/heads/main"}`)
	f.Add(`{"repository_id":"-7","repository_owner_id":"","repository":"acme","workflow_ref":"@"}`)
	f.Add(`{"repository_id":"7","repository_owner_id":"1","repository":"a/b/c","repository_owner":"a","workflow_ref":"a/b/c/d","job_workflow_ref":"x/y/z@"}`)
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = claimedIssuer("e30." + base64.RawURLEncoding.EncodeToString([]byte(text)) + ".")
		_, _ = claimedIssuer("e30." + text + ".")
		var c claims
		if json.Unmarshal([]byte(text), &c) != nil {
			return
		}
		w, err := c.workflow()
		if err != nil {
			return
		}
		if w.Repo.ID <= 0 || w.Repo.OwnerID <= 0 || w.Repo.Owner == "" || w.Repo.Name == "" || w.File == "" || w.Repo.String() != c.Repository ||
			strings.Contains(w.Repo.Owner+w.Repo.Name, "/") {
			t.Errorf("%+v of %s", w, text)
		}
		if !strings.HasPrefix(strings.ToLower(c.WorkflowRef), strings.ToLower(c.Repository)+"/") {
			t.Errorf("a workflow of elsewhere: %+v", w)
		}
	})
}
