package githubauth

import (
	"sync"
	"sync/atomic"

	"gatehouse/scopes"
)

// Forgotten says what an event may have changed: all that concerns every one of the numbers that are set. The zero value is nothing.
type Forgotten struct {
	Repo, Owner, User int64
	All               bool
}

// Forget drops what an event may have changed, answers kept for an outage and answers on their way included: what was asked before
// Forget was called counts for nothing after it returned. Safe for concurrent use; it takes time in proportion to what is known.
func (c *Client) Forget(f Forgotten) {
	if f == (Forgotten{}) {
		return
	}
	c.forgotten.add(f)
	if c.keep != nil {
		c.keep.drop()
	}
	for k := range c.known.Values() {
		k.forget(f)
	}
	for id, v := range c.visible.All() {
		if f.covers(subject{repos: [2]int64{id, id}, owners: [2]int64{v.repo.OwnerID, v.repo.OwnerID}}) && (f.User == 0 || f.All) {
			c.visible.Invalidate(id)
		}
	}
}

func (k *credential) forget(f Forgotten) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.changed = true
	for id, known := range k.facts {
		if f.covers(k.about(known)) {
			delete(k.facts, id)
		}
	}
	for owner := range k.proofs {
		if f.covers(k.aboutOwner(owner)) {
			delete(k.proofs, owner)
		}
	}
	for owner := range k.standings {
		if f.covers(k.aboutOwner(owner)) {
			delete(k.standings, owner)
		}
	}
	if f.covers(k.aboutUser()) {
		k.who = identity{}
		k.bad = badness{}
	}
}

// subject is what an answer is about; 0 is unknown, and whatever is unknown may be meant.
type subject struct {
	repos, owners [2]int64
	user          int64
	ofOwner       bool // of all of an owner's repositories, which the change of one leaves alone
	identity      bool // of who somebody is, which changes of repositories leave alone
}

// about, aboutOwner and aboutUser say what an answer concerns. The caller holds mu.
func (k *credential) about(f fact) subject {
	return subject{repos: [2]int64{f.Asked, f.Repo.ID}, owners: [2]int64{f.Owner, f.Repo.OwnerID}, user: k.who.Principal.ID}
}

func (k *credential) aboutOwner(owner int64) subject {
	return subject{ofOwner: true, owners: [2]int64{owner, owner}, user: k.who.Principal.ID}
}

func (k *credential) aboutUser() subject {
	return subject{user: k.who.Principal.ID, identity: true}
}

func (f Forgotten) covers(s subject) bool {
	if f.All {
		return true
	}
	if s.ofOwner && f.Repo != 0 || s.identity && (f.Repo != 0 || f.Owner != 0) {
		return false
	}
	meant := func(wanted int64, is ...int64) bool {
		known := false
		for _, id := range is {
			if id == wanted {
				return true
			}
			known = known || id != 0
		}
		return wanted == 0 || !known
	}
	return f != Forgotten{} && meant(f.Repo, s.repos[:]...) && meant(f.Owner, s.owners[:]...) && meant(f.User, s.user)
}

// forgettings remembers the last things forgotten, for answers that were on their way or on disk. It is bounded: of what is older than its memory it
// says that it was forgotten.
type forgettings struct {
	count atomic.Uint64
	mu    sync.Mutex
	last  [256]Forgotten
}

// now is the moment at which a question begins.
func (m *forgettings) now() uint64 { return m.count.Load() }

func (m *forgettings) add(f Forgotten) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.count.Load()
	m.last[n%uint64(len(m.last))] = f
	m.count.Store(n + 1)
}

// since reports whether something that the subject may rest on was forgotten after began.
func (m *forgettings) since(began uint64, s subject) bool {
	if m.count.Load() == began {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.count.Load()
	if n-began > uint64(len(m.last)) {
		return true
	}
	for i := began; i < n; i++ {
		if m.last[i%uint64(len(m.last))].covers(s) {
			return true
		}
	}
	return false
}

// ofRepo is what a question about a repository concerns, before it is answered.
func ofRepo(r scopes.Repo) subject {
	return subject{repos: [2]int64{r.ID, r.ID}, owners: [2]int64{r.OwnerID, r.OwnerID}}
}
