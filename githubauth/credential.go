package githubauth

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/semaphore"

	"gatehouse/scopes"
)

const (
	maxWeight    = 400_000 // of all that is known, in answers about one repository
	maxFacts     = 10_000  // of one credential
	maxOwners    = 1_000   // of one credential
	perToken     = 10      // calls in flight with one credential
	inFlight     = 64      // calls in flight in all; GitHub's secondary limit is 100
	credentialIs = 4       // what an entry weighs besides its facts
)

// credential is everything that is known of one token, under one roof so that whatever ends one part of it can end all.
//
// mu guards what is below it. The token itself is not here: every question brings it along.
type credential struct {
	hash  tokenHash
	kind  tokenKind
	calls *semaphore.Weighted
	size  atomic.Int64 // of facts, for the cache's weigher

	restored uint64 // when it was made, as forgettings count; never changed after

	mu        sync.RWMutex
	who       identity
	expires   time.Time // of the token itself; zero if it does not say
	bad       badness
	facts     map[int64]fact     // by repository
	proofs    map[int64]proof    // by owner: whether contents can be read
	standings map[int64]standing // by owner: what keeps the token out
	pauses    [resources]time.Time
	noGraphQL time.Time // until when GraphQL is not tried
	batches   []*batch  // collecting and in flight
	drawer    *drawer   // where it is kept over a restart; nil if nowhere
	changed   bool      // since it was last written there
}

// identity is who holds the token.
type identity struct {
	Principal scopes.Principal
	Scopes    string    // X-OAuth-Scopes, where the kind of token has scopes
	At        time.Time // when GitHub was asked; zero if it was not
	Until     time.Time
	Doubted   bool // there has been trouble since, so that Confirm must ask
	Tag       etag
}

// badness is GitHub's 401.
type badness struct {
	err       error
	at, until time.Time
}

// fact is what GitHub showed this credential of one repository. Where proof is wanted, Access.Reach goes no further than the proof of the
// repository's owner, which is kept apart.
type fact struct {
	scopes.Access
	Asked     int64 // the repository's number, which Access lacks where GitHub showed nothing
	Owner     int64 // whom the repository was taken to belong to when it was asked for; 0 if that was not known
	Until     time.Time
	Public    bool
	WantProof bool
	Tag       etag
	barred    bool // refused by a policy of the owner, which keeps the token from all its repositories
}

// proof is the answer of one probe that stands for all repositories of an owner: grants of such tokens are the same over all they hold.
type proof struct {
	Reach scopes.Permission
	Why   string
	At    time.Time
	Until time.Time
}

// standing is what an owner's policies say to the credential; "" if nothing.
type standing struct {
	sentence string
	until    time.Time
}

// etag lets an answer be asked for again at no charge. It is good for this credential only.
type etag struct {
	Value string
	Full  time.Time // when the answer last came in full
}

func (t etag) usable(now time.Time) bool { return t.Value != "" && now.Sub(t.Full) < fullAgain }

func newCache() (*otter.Cache[tokenHash, *credential], error) {
	return otter.New(&otter.Options[tokenHash, *credential]{
		MaximumWeight: maxWeight,
		Weigher:       func(_ tokenHash, k *credential) uint32 { return credentialIs + uint32(min(k.size.Load(), maxFacts)) },
	})
}

// know returns the entry of a token, made anew if there is none.
func (c *Client) know(hash tokenHash, kind tokenKind, token string) *credential {
	if k, ok := c.known.GetIfPresent(hash); ok {
		return k
	}
	return c.enter(c.newCredential(hash, kind, token))
}

// newCredential makes an entry with what was kept of the token over a restart, and leaves it out of the cache: many a token deserves no place there.
func (c *Client) newCredential(hash tokenHash, kind tokenKind, token string) *credential {
	k := &credential{hash: hash, kind: kind, calls: semaphore.NewWeighted(perToken), facts: map[int64]fact{}, proofs: map[int64]proof{}, standings: map[int64]standing{}}
	k.restored = c.forgotten.now()
	c.restore(k, token)
	return k
}

// enter puts a new entry into the cache and returns the one that is there then.
func (c *Client) enter(k *credential) *credential {
	restored := k.restored
	k, _ = c.known.ComputeIfAbsent(k.hash, func() (*credential, bool) { return k, false })
	if c.keep != nil && c.forgotten.now() != restored {
		k.forget(Forgotten{All: true}) // what was restored may be what was forgotten meanwhile
	}
	return k
}

// weigh tells the cache that the entry has grown.
func (c *Client) weigh(k *credential) {
	c.known.ComputeIfPresent(k.hash, func(old *credential) (*credential, otter.ComputeOp) {
		if old != k {
			return old, otter.CancelOp
		}
		return k, otter.WriteOp
	})
}

// access combines a fact with its proof. An answer beyond its time is given only up to grace longer, and only if it grants something.
func (k *credential) access(repo int64, now time.Time, grace time.Duration) (scopes.Access, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	f, ok := k.facts[repo]
	if !ok || k.over(now) {
		return scopes.Access{}, false
	}
	until := f.Until
	if f.WantProof {
		p, ok := k.proofs[f.Repo.OwnerID]
		if !ok {
			return scopes.Access{}, false
		}
		f.Reach, f.Why = p.Reach, p.Why
		if p.At.Before(f.At) {
			f.At = p.At
		}
		if p.Until.Before(until) {
			until = p.Until
		}
	}
	if now.Before(until) {
		return f.Access, true
	}
	return f.Access, grace > 0 && f.Permission() >= scopes.Read && now.Before(f.At.Add(readTTL+grace))
}

// fact returns what is known of a repository, as long as it may be believed.
func (k *credential) fact(repo int64, now time.Time) (fact, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	f, ok := k.facts[repo]
	return f, ok && now.Before(f.Until) && !k.over(now)
}

// proof returns what was proven of an owner's repositories, as long as it may be believed.
func (k *credential) proof(owner int64, now time.Time) (proof, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	p, ok := k.proofs[owner]
	return p, ok && now.Before(p.Until) && !k.over(now)
}

// identity returns who holds the token, if that is known; grace is as for access.
func (k *credential) identity(now time.Time, grace time.Duration) (identity, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.who.At.IsZero() || k.over(now) {
		return identity{}, false
	}
	return k.who, now.Before(k.who.Until) || grace > 0 && now.Before(k.who.At.Add(identityTTL+grace))
}

// over reports that nothing known of the token counts: it said it would end before now, or GitHub has called it bad. The caller holds mu.
func (k *credential) over(now time.Time) bool {
	return !k.expires.IsZero() && !now.Before(k.expires) || k.bad.err != nil && now.Before(k.bad.until)
}

// refusal returns the error of a token that GitHub has called bad of late.
func (k *credential) refusal(now time.Time) error {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.bad.err != nil && now.Before(k.bad.until) {
		return k.bad.err
	}
	return nil
}

// confirmed reports whether GitHub has ever known the token, and has not taken that back.
func (k *credential) confirmed() bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return !k.who.At.IsZero() && k.bad.err == nil
}

// condemn ends everything that was known of a token: GitHub says it is none.
func (k *credential) condemn(err error, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.bad = badness{err, now, now.Add(refusedTTL)}
	k.who = identity{}
	clear(k.facts)
	clear(k.proofs)
	clear(k.standings)
	k.changed = true
}

// learn keeps facts that were asked for after the client's count began, unless something has been forgotten since that they may rest on, or a later
// question was answered sooner.
func (c *Client) learn(k *credential, began uint64, facts ...fact) {
	k.mu.Lock()
	for _, f := range facts {
		if old, known := k.facts[f.Asked]; known && old.At.After(f.At) || k.bad.err != nil && !f.At.After(k.bad.at) || c.forgotten.since(began, k.about(f)) {
			continue
		}
		if len(k.facts) >= maxFacts {
			clear(k.facts) // nobody reads so many repositories within a minute; asking again costs little
		}
		k.facts[f.Asked] = f
	}
	k.changed = true
	grown := int64(len(k.facts)) > k.size.Swap(int64(len(k.facts)))
	k.mu.Unlock()
	if grown {
		c.weigh(k)
	}
}
