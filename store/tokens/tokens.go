// Package tokens remembers the registry's own tokens: granular access tokens, which narrow a credential of GitHub's, and those of workflows, which have
// none behind them.
//
// It owns the form of a secret, the two rows of a token, and the sealing of the credential. It refuses to know who may mint or revoke what (scopes
// decides) and what a credential is good for (GitHub does, when it is used).
//
// What is true:
//
//   - A secret is shown once and never stored: its row is found by the SHA-256 of its 256 random bits. The credential behind a token is sealed
//     under its secret. So whoever copies all data of a registry, backups included, can open nothing with them, and neither can its operator.
//   - The row is read at each use, so that a token that was revoked is refused from then on, in every process on the same data. What is kept in
//     memory is only what it takes a secret to compute, and only as long as the row is the same.
//   - Both rows of a token are written and removed by one batch, together with its event, if it makes any (recorded).
//   - A damaged row opens nothing.
//   - What proves a workflow makes one token: that it was used is written by the batch that makes the token, and kept for longer than it is good.
//
// The day of a token's last use is noted in memory and written by Sweep: a read waits for no write.
package tokens

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"crypto/rand"

	"github.com/maypok86/otter/v2"

	"gatehouse/scopes"
	"gatehouse/store"
	"gatehouse/store/kv"
)

var (
	// ErrMistyped: the text cannot be a token's secret. Nothing was asked.
	ErrMistyped = errors.New("this gatehouse token is mistyped or incomplete (its checksum does not fit); copy it again")
	// ErrUnknown: there is no such token, or no more.
	ErrUnknown = errors.New("this token is unknown or was revoked")
	// ErrUsed: a token was made for this proof before.
	ErrUsed = errors.New("this ID token has been used: each is exchanged once, and a job asks for another")
	// ErrTooMany: the owner has as many tokens as one may have.
	ErrTooMany = errors.New("too many tokens")
	// ErrParent: the token has ended with the one that it was minted with.
	ErrParent = errors.New("the npm login that this token was minted with has ended")
	// ErrNotOne: a prefix stands for several tokens.
	ErrNotOne = errors.New("several tokens begin like that")
	// ErrBusy: the token was changed by others at the same time, again and again. Nothing was done.
	ErrBusy = errors.New("the token is being changed by others")
)

// Options of Tokens. The zero value is usable.
type Options struct {
	// Most is how many tokens somebody may have at a time; 0 means 500.
	Most int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Tokens are the tokens of one registry. Their methods may be called from any number of goroutines.
type Tokens struct {
	kv     kv.Store
	events Events
	most   int
	now    func() time.Time

	opened *otter.Cache[string, opened] // by the hash of the secret

	mu   sync.Mutex
	used map[string]time.Time // hash → day, for Sweep to write
}

// Events makes the row that records a change (met by *store.Store, whose comment holds).
type Events interface {
	EventRow(e store.Event) (kv.Entry, error)
}

// opened is what a secret opened, as long as its row is this one.
type opened struct {
	row        []byte
	token      scopes.Token
	credential Credential
}

const (
	// openCache bounds what is kept of tokens in use, in bytes.
	openCache = 8 << 20
	// maxUsed bounds the tokens whose use is not written yet.
	maxUsed = 20_000
	// maxCredential bounds a sealed credential, in bytes.
	maxCredential = 16 << 10
)

// New returns the tokens kept in an engine, which it does not close.
func New(engine kv.Store, events Events, o Options) (*Tokens, error) {
	t := &Tokens{kv: engine, events: events, most: o.Most, now: o.Now, used: map[string]time.Time{}}
	if t.now == nil {
		t.now = time.Now
	}
	if t.most == 0 {
		t.most = 500
	}
	var err error
	t.opened, err = otter.New(&otter.Options[string, opened]{MaximumWeight: openCache, Weigher: func(_ string, v opened) uint32 {
		return uint32(4*len(v.row) + len(v.credential.Access) + len(v.credential.Refresh) + len(v.credential.Parent) + 512)
	}})
	return t, err
}

// stored is the row of a token.
type stored struct {
	Token  scopes.Token `json:"token"`
	Holder string       `json:"holder"` // whose list it is in
	Sealed []byte       `json:"sealed,omitempty"`
}

// holderOf names the list of a person's tokens by the number of their account; those of a repository's workflows have one of their own, and so have those
// of all of a guest's repositories, of which it can make any number.
func holderOf(t scopes.Token) string {
	if t.Workflow != nil && t.Guest {
		return "o" + strconv.FormatInt(t.Workflow.Repo.OwnerID, 10)
	}
	if t.Workflow != nil {
		return "r" + strconv.FormatInt(t.Workflow.Repo.ID, 10)
	}
	return personal(t.Owner.ID)
}

func personal(owner int64) string { return strconv.FormatInt(owner, 10) }

// Create makes a token of a person, over a credential of theirs, and returns it with its secret, which is never seen again. Of t, ID, Shown, Created
// and LastUsed are filled in. A behind with a Parent is that token's credential; which of the two is kept is settled here. Errors: ErrTooMany,
// ErrUnknown for a parent that has ended, store.ErrFull.
func (t *Tokens) Create(ctx context.Context, token scopes.Token, behind Credential) (scopes.Token, string, error) {
	if token.Owner.ID == 0 || token.Workflow != nil || behind.Access == "" {
		return scopes.Token{}, "", errors.New("a token needs an owner and a credential")
	}
	behind, err := t.standing(ctx, behind)
	if err != nil {
		return scopes.Token{}, "", err
	}
	n, err := t.count(ctx, personal(token.Owner.ID))
	if err != nil {
		return scopes.Token{}, "", err
	}
	if n >= t.most {
		return scopes.Token{}, "", fmt.Errorf("%w: %s has %d, the most that one may have; revoke some first (npm token list, npm token revoke ID)", ErrTooMany, token.Owner.Login, n)
	}
	return t.create(ctx, token, &behind, store.Actor{ID: token.Owner.ID, Login: token.Owner.Login})
}

// standing is what a new token is to stand on: a credential of its own, or the token whose credential is refreshed.
func (t *Tokens) standing(ctx context.Context, behind Credential) (Credential, error) {
	if behind.Parent == "" {
		return behind, nil
	}
	_, its, err := t.Open(ctx, behind.Parent)
	switch {
	case err != nil:
		return Credential{}, err
	case its.Parent != "":
		return Credential{Parent: its.Parent}, nil // no token is more than one step away from its credential
	case its.Refresh != "":
		return Credential{Parent: behind.Parent}, nil
	}
	return Credential{Access: behind.Access}, nil
}

// CreateWorkflow makes a token of a workflow, which has no credential behind it and therefore has to end: within MaxWorkflow. Each proof makes one token:
// the second time, in whatever process on these data and also after a restart, the error is ErrUsed. Other errors: ErrTooMany, store.ErrFull.
func (t *Tokens) CreateWorkflow(ctx context.Context, token scopes.Token, proof Proof) (scopes.Token, string, error) {
	if left := token.Grant.Until.Sub(t.now()); token.Workflow == nil || token.Workflow.Repo.ID == 0 || token.Grant.Until.IsZero() || left > MaxWorkflow {
		return scopes.Token{}, "", fmt.Errorf("a workflow's token needs its repository, and an end within %v", MaxWorkflow)
	}
	if proof.ID == "" || proof.Until.IsZero() {
		return scopes.Token{}, "", errors.New("a workflow's token needs a proof that ends")
	}
	token.Owner = scopes.Account{}
	n, err := t.count(ctx, holderOf(token))
	if err != nil {
		return scopes.Token{}, "", err
	}
	whose, most := token.Workflow.Repo.String(), maxOfRepository
	if token.Guest {
		whose, most = token.Workflow.Repo.Owner, maxOfGuest
	}
	if n >= most {
		return scopes.Token{}, "", fmt.Errorf("%w: the workflows of %s have %d, the most that they may have at a time; each ends within %v", ErrTooMany, whose, n, MaxWorkflow)
	}
	made, secret, err := t.create(ctx, token, nil, store.ActorOf(token.Workflow.Principal()), proof.row())
	if errors.Is(err, kv.ErrConflict) { // nothing else of the batch can have been there: the rest is random
		return scopes.Token{}, "", ErrUsed
	}
	return made, secret, err
}

const (
	// MaxWorkflow is how long a workflow's token may live.
	MaxWorkflow = time.Hour
	// maxOfRepository is how many tokens the workflows of one repository may have at a time.
	maxOfRepository = 5000
	// maxOfGuest is how many those of all repositories of a guest's may have.
	maxOfGuest = 1000
)

// create writes a token, and rows with it that must not be there yet.
func (t *Tokens) create(ctx context.Context, token scopes.Token, behind *Credential, by store.Actor, once ...kv.Entry) (scopes.Token, string, error) {
	secret := newSecret()
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	token.ID, token.Shown = hex.EncodeToString(id[:]), secret[:shownSize]
	token.Created, token.LastUsed = t.now().UTC(), time.Time{} // to the nanosecond, for the order of lists
	row := stored{Token: token, Holder: holderOf(token)}
	if behind != nil {
		var err error
		if row.Sealed, err = seal(secret, token.ID, *behind); err != nil {
			return scopes.Token{}, "", err
		}
		if len(row.Sealed) > maxCredential {
			return scopes.Token{}, "", errors.New("the credential is too long to be kept")
		}
	}
	value, err := json.Marshal(row)
	if err != nil {
		return scopes.Token{}, "", err
	}
	hash := hashOf(secret)
	main, list := kv.Entry{Key: store.TokenKey(hash)}, kv.Entry{Key: store.HolderKey(row.Holder, token.ID)}
	b := kv.Batch{If: []kv.Entry{main, list}, Put: []kv.Entry{{Key: main.Key, Value: value}, {Key: list.Key, Value: []byte(hash)}}}
	if recorded(token) {
		event, err := t.events.EventRow(store.Event{What: "mint", Token: token.ID, By: by, At: token.Created.Truncate(time.Millisecond), Note: token.Name})
		if err != nil {
			return scopes.Token{}, "", err
		}
		b.Put = append(b.Put, event)
	}
	for _, row := range once {
		b.If, b.Put = append(b.If, kv.Entry{Key: row.Key}), append(b.Put, row)
	}
	if err := t.kv.Apply(ctx, b); err != nil {
		return scopes.Token{}, "", failed("minting a token", err)
	}
	return token, secret, nil
}

// recorded reports whether what becomes of a token by itself makes events, which stay for good. That of a workflow that only reads makes none: whoever has an
// account at GitHub gets any number of those over time. The audit log has them.
func recorded(token scopes.Token) bool { return token.Workflow == nil || !token.Grant.ReadOnly() }

func failed(what string, err error) error {
	if errors.Is(err, kv.ErrFull) {
		err = fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}
