package githubauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/scopes"
)

// TestNothingProvesNothing: an answer without a body, as proxies give it, is no list of branches.
func TestNothingProvesNothing(t *testing.T) {
	f, c, _ := start(t)
	f.Fail(githubtest.GetBranches, func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusOK)
		return true
	})
	f.Fail(githubtest.GitUploadPack, githubtest.Status(502))
	for what, token := range map[string]string{"fine-grained": f.Token(githubtest.FineGrained{User: "wendy", Owner: "acme"}), "installation": f.Token(githubtest.Installation{Owner: "acme"})} {
		a, err := c.Access(context.Background(), token, bind(f.UI), scopes.Read)
		if a.Permission() > scopes.None || err == nil {
			t.Errorf("%s: %s %v", what, a.Permission(), err)
		}
		if a, _ := c.Access(context.Background(), token, bind(f.UI), scopes.Write); a.Permission() > scopes.None {
			t.Errorf("%s, a write: %s", what, a.Permission())
		}
	}
}

// TestNothingIsNobody: an answer without a body, or a page for people, does not make an installation's token good.
func TestNothingIsNobody(t *testing.T) {
	for what, body := range map[string]string{"nothing": "", "a page": "<!DOCTYPE html><title>Log in</title>", "an object": "{}"} {
		f, c, _ := start(t)
		f.Fail("", func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "/installation/repositories") {
				_, _ = w.Write([]byte(body))
			} else {
				w.WriteHeader(http.StatusNotFound)
			}
			return true
		})
		u := (*githubauth.Unavailable)(nil)
		if who, err := c.Identify(context.Background(), f.ActionsReads, netip.Addr{}); !errors.As(err, &u) {
			t.Errorf("%s: %+v %v", what, who, err)
		}
	}
}

// TestWhatBecamePublicProvesNothing: a token that sees no contents reads those of a repository once it is public, and still none of its owner's others.
func TestWhatBecamePublicProvesNothing(t *testing.T) {
	for what, token := range map[string]func(f *githubtest.Fixture) string{
		"fine-grained": func(f *githubtest.Fixture) string {
			return f.Token(githubtest.FineGrained{User: "wendy", Owner: "acme"})
		},
		"installation": func(f *githubtest.Fixture) string {
			return f.Token(githubtest.Installation{Owner: "acme"})
		},
	} {
		f, c, now := start(t)
		token := token(f)
		read := func(r githubtest.Repo) scopes.Permission {
			t.Helper()
			a, err := c.Access(context.Background(), token, bind(r), scopes.Read)
			if err != nil {
				t.Fatal(err)
			}
			return a.Permission()
		}
		if p := read(f.API); p != scopes.None {
			t.Fatalf("%s: %s", what, p)
		}
		f.SetVisibility("acme/api", githubtest.Public)
		now.pass(11 * time.Second) // the refusal is over, and what is known of the repository is not
		read(f.API)
		if p := read(f.UI); p != scopes.None {
			t.Errorf("%s: a private repository of the owner: %s", what, p)
		}
	}
}

// TestAChangeIsNotMadeByLooking: GitHub's redirect of a change would be followed by a look at what was to be changed, which is not the change.
func TestAChangeIsNotMadeByLooking(t *testing.T) {
	f, c, _ := start(t)
	f.Fail("", func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet {
			w.WriteHeader(http.StatusOK)
			return true
		}
		w.Header().Set("Location", r.URL.Path)
		w.WriteHeader(http.StatusMovedPermanently)
		return true
	})
	_, err := c.ChangePeople(context.Background(), f.Ada, scopes.PeopleChange{What: scopes.RemoveMember, Org: "acme", Login: "rita"})
	if u := (*githubauth.Unavailable)(nil); !errors.As(err, &u) {
		t.Errorf("said to be made: %v", err)
	}
}

// TestOddScopesReadNothingPrivate: some scopes are about private repositories and not about their contents. Whatever GitHub shows such a token, it reads no
// package of them.
func TestOddScopesReadNothingPrivate(t *testing.T) {
	for _, has := range []string{"repo:status", "repo_deployment, read:org", "security_events", "public_repo", ""} {
		f, c, now := start(t)
		f.Fail("", func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "/repositories/") {
				return false
			}
			w.Header().Set("X-OAuth-Scopes", has)
			w.Header().Set("ETag", `"1"`)
			if r.Header.Get("If-None-Match") != "" {
				w.WriteHeader(http.StatusNotModified)
				return true
			}
			fmt.Fprintf(w, `{"id":%d,"name":"ui","private":true,"visibility":"private","owner":{"id":%d,"login":"acme"},"permissions":{"push":true,"pull":true}}`, f.UI.ID, f.UI.OwnerID)
			return true
		})
		repo := scopes.Repo{ID: f.UI.ID, OwnerID: f.UI.OwnerID}
		for _, need := range []scopes.Permission{scopes.Read, scopes.Write, scopes.Read} {
			a, err := c.Access(context.Background(), f.Wendy, repo, need)
			if err != nil || a.Permission() != scopes.None || a.Why == "" {
				t.Errorf("%q, %s: %+v %v", has, need, a, err)
			}
			now.pass(61 * time.Second)
		}
	}
}

// TestAnyRefusalIsNoRight: a status that somebody between GitHub and the registry gives is not GitHub's saying that there is no such branch to delete, and what
// is no branch is not a list of them.
func TestAnyRefusalIsNoRight(t *testing.T) {
	for _, body := range []string{"", "{}", "<html>", `{"message":"Validation Failed"}`} {
		f, c, _ := start(t)
		f.Fail(githubtest.GitReceivePack, githubtest.Status(502))
		f.Fail("", func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodDelete {
				return false
			}
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = w.Write([]byte(body))
			return true
		})
		if a, _ := c.Access(context.Background(), f.WendyReads, bind(f.UI), scopes.Write); a.Permission() >= scopes.Write {
			t.Errorf("%q: %s", body, a.Permission())
		}
	}
	for _, body := range []string{"[null]", "[{}]"} {
		f, c, _ := start(t)
		f.Fail(githubtest.GetBranches, func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = w.Write([]byte(body))
			return true
		})
		if a, _ := c.Access(context.Background(), f.Token(githubtest.FineGrained{User: "wendy", Owner: "acme"}), bind(f.UI), scopes.Read); a.Permission() >= scopes.Read {
			t.Errorf("%q: %s", body, a.Permission())
		}
	}
}
