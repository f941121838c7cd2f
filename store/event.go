package store

import (
	"encoding/json"
	"time"

	"gatehouse/scopes"
	"gatehouse/store/kv"
)

// Event is the record of one change: who did what to which package, and when.
type Event struct {
	What    string `json:"what"` // "publish", "replace", "tag", "untag", "deprecate", "undeprecate", "unpublish", "star", "unstar", "bind", "repair", "collect", "admit", "dismiss", "trust", "distrust", "mint", "revoke", "expire"
	Package string `json:"package"`
	Version string `json:"version,omitempty"`
	Tag     string `json:"tag,omitempty"`
	// Tags are those that were set, or, where they are no more, removed.
	Tags map[string]string `json:"tags,omitempty"`
	// Versions are those that a change of several was about.
	Versions []string `json:"versions,omitempty"`
	// From and To are the bindings before and after a package was bound to another repository.
	From *scopes.Binding `json:"from,omitempty"`
	To   *scopes.Binding `json:"to,omitempty"`
	// Blob is the object that was found to be named by nothing, and Note what a repair has done, in words.
	Blob string `json:"blob,omitempty"`
	Note string `json:"note,omitempty"`
	// Token is the ID of the token that the change was about.
	Token string    `json:"token,omitempty"`
	By    Actor     `json:"by"`
	At    time.Time `json:"at"`
}

// Actor is who changed something, as it stays on record: the number is the identity, the login what it was called then.
type Actor struct {
	ID    int64  `json:"id,omitempty"`
	Login string `json:"login,omitempty"`
}

func (a Actor) name() string {
	if a.Login == "" {
		return "somebody"
	}
	return a.Login
}

// ActorOf is the principal on record. Everyone of an open registry is the same nameless actor.
func ActorOf(p scopes.Principal) Actor { return Actor{ID: p.ID, Login: p.Login} }

// record is the row of an event. Rows lie in the order of their writing, also within one tick of the clock; those of several processes as well
// as their clocks agree.
func (s *Store) record(e Event) (kv.Entry, error) {
	value, err := json.Marshal(e)
	for {
		last := s.lastEvent.Load()
		if next := max(s.now().UnixNano(), last+1); s.lastEvent.CompareAndSwap(last, next) {
			return kv.Entry{Key: eventKey(next), Value: value}, err
		}
	}
}
