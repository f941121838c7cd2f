package tokens_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse/scopes"
	"gatehouse/store"
	"gatehouse/store/kv"
	"gatehouse/store/memory"
	"gatehouse/store/tokens"
)

var (
	wendy  = scopes.Account{ID: 11, Login: "wendy"}
	rita   = scopes.Account{ID: 1, Login: "rita"} // whose number begins wendy's
	behind = tokens.Credential{Access: "ghp_secretsecretsecretsecretsecretsecret"}
)

// lab is a registry's tokens on an engine that the test can look into, at a time that stands still.
type lab struct {
	*testing.T
	engine kv.Store
	store  *store.Store
	tokens *tokens.Tokens
	now    time.Time
}

func start(t *testing.T, engine kv.Store, o tokens.Options) *lab {
	l := &lab{T: t, engine: engine, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	clock := func() time.Time { return l.now }
	var err error
	if l.store, err = store.Open(t.Context(), engine, memory.NewBlob(), store.Options{Now: clock}); err != nil {
		t.Fatal(err)
	}
	o.Now = clock
	if l.tokens, err = tokens.New(engine, l.store, o); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *lab) mint(owner scopes.Account, grant scopes.Grant) (scopes.Token, string) {
	l.Helper()
	token, secret, err := l.tokens.Create(l.Context(), scopes.Token{Owner: owner, Name: "laptop", Grant: grant, Behind: scopes.Classic}, behind)
	if err != nil {
		l.Fatal(err)
	}
	return token, secret
}

func (l *lab) want(secret string, want error) scopes.Token {
	l.Helper()
	token, credential, err := l.tokens.Open(l.Context(), secret)
	if !errors.Is(err, want) {
		l.Fatalf("got %v, want %v", err, want)
	}
	if err != nil && (token.ID != "" || credential.Access != "") {
		l.Fatalf("an error, and %+v", token)
	}
	return token
}

// whole fails the test if a token is half there, and returns how many there are.
func (l *lab) whole() (n int) {
	l.Helper()
	for bad, err := range l.store.BadTokens(context.Background()) {
		l.Errorf("half a token: %+v, %v", bad, err)
	}
	for _, err := range l.tokens.All(context.Background()) {
		if err != nil {
			l.Fatal(err)
		}
		n++
	}
	return n
}

func (l *lab) events() (what []string) {
	l.Helper()
	for e, err := range l.store.Entries(l.Context()) {
		if err != nil {
			l.Fatal(err)
		}
		if key := string(e.Key); strings.HasPrefix(key, "e\x00") {
			_, rest, _ := strings.Cut(string(e.Value), `"what":"`)
			word, _, _ := strings.Cut(rest, `"`)
			what = append(what, word)
		}
	}
	return what
}

func TestLifeOfAToken(t *testing.T) {
	l := start(t, memory.NewKV(), tokens.Options{})
	full := scopes.Grant{Rights: scopes.All()}
	first, secret := l.mint(wendy, full)
	l.now = l.now.Add(time.Second)
	second, other := l.mint(wendy, full)
	_, hers := l.mint(rita, full)

	token, credential, err := l.tokens.Open(t.Context(), secret)
	if err != nil || credential != behind || token.ID != first.ID || token.Owner != wendy || !strings.HasPrefix(secret, token.Shown) || len(token.Shown) > 8 {
		t.Fatalf("%+v, %v", token, err)
	}
	list, err := l.tokens.List(t.Context(), wendy.ID)
	if err != nil || len(list) != 2 || list[0].ID != second.ID || list[1].ID != first.ID {
		t.Fatalf("%+v, %v", list, err)
	}
	found, err := l.tokens.Find(t.Context(), wendy.ID, first.ID[:8])
	if err != nil || found.ID != first.ID {
		t.Fatalf("%+v, %v", found, err)
	}
	if _, err := l.tokens.Find(t.Context(), rita.ID, first.ID); !errors.Is(err, tokens.ErrUnknown) {
		t.Errorf("somebody else's token is found: %v", err)
	}
	if _, err := l.tokens.Find(t.Context(), wendy.ID, ""); !errors.Is(err, tokens.ErrUnknown) {
		t.Errorf("nothing names a token: %v", err)
	}
	if err := l.tokens.Revoke(t.Context(), found, store.Actor{ID: 11, Login: "wendy"}); err != nil {
		t.Fatal(err)
	}
	l.want(secret, tokens.ErrUnknown)
	if err := l.tokens.Revoke(t.Context(), found, store.Actor{}); !errors.Is(err, tokens.ErrUnknown) {
		t.Errorf("revoked twice: %v", err)
	}
	if _, err := l.tokens.RevokeSecret(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	l.want(other, tokens.ErrUnknown)
	l.want(hers, nil)
	l.want(hers[:len(hers)-1], tokens.ErrMistyped)
	if n := l.whole(); n != 1 {
		t.Errorf("%d are left", n)
	}
	if got := strings.Join(l.events(), " "); got != "mint mint mint revoke revoke" {
		t.Errorf("the events are %s", got)
	}
}

// TestRevokedElsewhere: another process on the same data revokes, and this one, which has the token in its memory, refuses it at once.
func TestRevokedElsewhere(t *testing.T) {
	engine := memory.NewKV()
	l, elsewhere := start(t, engine, tokens.Options{}), start(t, engine, tokens.Options{})
	_, secret := l.mint(wendy, scopes.Grant{Rights: scopes.All()})
	l.want(secret, nil)
	if _, err := elsewhere.tokens.RevokeSecret(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	l.want(secret, tokens.ErrUnknown)
}

func TestTooMany(t *testing.T) {
	l := start(t, memory.NewKV(), tokens.Options{Most: 2})
	for range 2 {
		l.mint(wendy, scopes.Grant{Rights: scopes.All()})
	}
	_, _, err := l.tokens.Create(t.Context(), scopes.Token{Owner: wendy, Grant: scopes.Grant{Rights: scopes.All()}}, behind)
	if !errors.Is(err, tokens.ErrTooMany) || !strings.Contains(err.Error(), "npm token revoke") {
		t.Errorf("%v", err)
	}
	l.mint(rita, scopes.Grant{Rights: scopes.All()})
}

func TestSweep(t *testing.T) {
	l := start(t, memory.NewKV(), tokens.Options{})
	_, lasting := l.mint(wendy, scopes.Grant{Rights: scopes.All()})
	_, ending := l.mint(wendy, scopes.Grant{Rights: scopes.All(), Until: l.now.Add(time.Hour)})
	workflow := scopes.Token{Workflow: &scopes.Workflow{Repo: scopes.Repo{ID: 7, OwnerID: 1, Owner: "acme", Name: "ui"}}}
	workflow.Grant = scopes.Grant{Rights: scopes.Rights{{Values: []string{"@acme/ui"}, Types: scopes.Types{Pkg: scopes.Use{Write: true}}}}, Until: l.now.Add(15 * time.Minute)}
	token, job, err := l.tokens.CreateWorkflow(t.Context(), workflow, tokens.Proof{ID: "job 1", Until: l.now.Add(5 * time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	if opened := l.want(job, nil); opened.Workflow == nil || opened.Workflow.Repo.ID != 7 || opened.ID != token.ID {
		t.Errorf("%+v", opened)
	}
	sweep := func(want int) {
		t.Helper()
		if n, err := l.tokens.Sweep(t.Context()); n != want || err != nil {
			t.Fatalf("swept %d, want %d: %v", n, want, err)
		}
	}
	sweep(0)
	l.now = l.now.Add(2 * time.Hour)
	sweep(1) // the workflow's
	l.want(job, tokens.ErrUnknown)
	l.want(ending, nil) // for its owner to see that it has expired
	l.now = l.now.Add(31 * 24 * time.Hour)
	sweep(1)
	l.want(ending, tokens.ErrUnknown)
	l.want(lasting, nil)
	l.whole()
}

// TestWorkflowsEnd: a token without a credential behind it is never one for long.
func TestWorkflowsEnd(t *testing.T) {
	l := start(t, memory.NewKV(), tokens.Options{})
	repo := &scopes.Workflow{Repo: scopes.Repo{ID: 7}}
	for name, token := range map[string]scopes.Token{
		"no end":        {Workflow: repo, Grant: scopes.Grant{Rights: scopes.All()}},
		"too late":      {Workflow: repo, Grant: scopes.Grant{Rights: scopes.All(), Until: l.now.Add(2 * time.Hour)}},
		"no repository": {Workflow: &scopes.Workflow{}, Grant: scopes.Grant{Rights: scopes.All(), Until: l.now.Add(time.Minute)}},
		"no workflow":   {Grant: scopes.Grant{Rights: scopes.All(), Until: l.now.Add(time.Minute)}},
	} {
		if _, secret, err := l.tokens.CreateWorkflow(t.Context(), token, tokens.Proof{ID: name, Until: l.now.Add(5 * time.Minute)}); err == nil || secret != "" {
			t.Errorf("%s: made", name)
		}
	}
	if _, _, err := l.tokens.Create(t.Context(), scopes.Token{Owner: wendy, Grant: scopes.Grant{Rights: scopes.All()}}, tokens.Credential{}); err == nil {
		t.Error("a person's token without a credential")
	}
}

func TestLastUsed(t *testing.T) {
	l := start(t, memory.NewKV(), tokens.Options{})
	_, secret := l.mint(wendy, scopes.Grant{Rights: scopes.All()})
	changes := func() int {
		l.Helper()
		if _, err := l.tokens.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := l.tokens.List(t.Context(), wendy.ID)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		if list[0].LastUsed.IsZero() {
			return 0
		}
		return list[0].LastUsed.YearDay()
	}
	if got := changes(); got != 0 {
		t.Errorf("used on day %d before it was", got)
	}
	for day, want := range []int{2, 3, 4} {
		for range 3 {
			l.want(secret, nil)
		}
		if got := changes(); got != want {
			t.Errorf("after %d days: day %d, want %d", day, got, want)
		}
		l.now = l.now.Add(24 * time.Hour)
	}
	l.want(secret, nil) // the row has changed since it was unsealed
}

func TestReseal(t *testing.T) {
	l := start(t, memory.NewKV(), tokens.Options{})
	_, secret := l.mint(wendy, scopes.Grant{Rights: scopes.All()})
	fresh := tokens.Credential{Access: "ghu_new", Refresh: "ghr_new", Expires: l.now.Add(8 * time.Hour)}
	if err := l.tokens.Reseal(t.Context(), secret, behind, fresh); err != nil {
		t.Fatal(err)
	}
	_, got, err := l.tokens.Open(t.Context(), secret)
	if err != nil || got != fresh {
		t.Fatalf("%v", err)
	}
	if err := l.tokens.Reseal(t.Context(), secret, behind, fresh); !errors.Is(err, tokens.ErrStale) {
		t.Errorf("who came second: %v", err)
	}
	if _, err := l.tokens.RevokeSecret(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	if err := l.tokens.Reseal(t.Context(), secret, fresh, behind); !errors.Is(err, tokens.ErrUnknown) {
		t.Errorf("a revoked token came back: %v", err)
	}
	l.want(secret, tokens.ErrUnknown)
}
