package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"gatehouse/scopes"
)

// bound is which package is bound to which repository, in memory: read from the heads once, by whoever asks first, and kept up to date by the changes
// that this process makes. It answers questions about many packages at once; whoever decides about one reads its head.
type bound struct {
	mu       sync.Mutex
	built    bool
	packages map[string]scopes.Repo    // those that are bound, by name
	repos    map[int64]map[string]bool // the names bound to each repository
	lowest   map[string]string         // the first name of each namespace, in order
}

// note is told of every binding that is committed, in the order of the commits of a package.
func (b *bound) note(name string, where scopes.Binding) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.built { // else it is read when it is built
		b.set(name, where)
	}
}

// forget has everything read anew.
func (b *bound) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.built = false
}

func (b *bound) set(name string, where scopes.Binding) {
	old, was := b.packages[name]
	if was && old.ID != where.Repo.ID {
		if delete(b.repos[old.ID], name); len(b.repos[old.ID]) == 0 {
			delete(b.repos, old.ID)
		}
	}
	if where.Kind != scopes.GitHub || where.Repo.ID == 0 {
		delete(b.packages, name)
		return
	}
	b.packages[name] = where.Repo
	if b.repos[where.Repo.ID] == nil {
		b.repos[where.Repo.ID] = map[string]bool{}
	}
	b.repos[where.Repo.ID][name] = true
	namespace := scopes.Namespace(name)
	if least, ok := b.lowest[namespace]; !ok || name < least {
		b.lowest[namespace] = name
	}
}

// bindings returns the index, locked. The caller unlocks it, also after an error.
func (s *Store) bindings(ctx context.Context) (*bound, error) {
	b := &s.bound
	b.mu.Lock()
	if b.built {
		return b, nil
	}
	b.packages, b.repos, b.lowest = map[string]scopes.Repo{}, map[int64]map[string]bool{}, map[string]string{}
	from, to := tableRange(headRow)
	for row, err := range s.kv.Scan(context.WithoutCancel(ctx), from, to) {
		if err != nil {
			return b, fmt.Errorf("reading the bindings: %w", err)
		}
		var h Head
		if json.Unmarshal(row.Value, &h) == nil { // a damaged one is nobody's until it is mended
			b.set(string(row.Key[len(from):]), h.Binding)
		}
	}
	b.built = true
	return b, nil
}

// Repositories returns the repositories that packages are bound to, ordered by number. Of names that differ between packages, those of any.
func (s *Store) Repositories(ctx context.Context) ([]scopes.Repo, error) {
	b, err := s.bindings(ctx)
	defer b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	list := make([]scopes.Repo, 0, len(b.repos))
	for _, id := range slices.Sorted(maps.Keys(b.repos)) {
		list = append(list, b.of(id))
	}
	return list, nil
}

// of is the repository of a number, as its first package has it.
func (b *bound) of(id int64) scopes.Repo {
	var least string
	for name := range b.repos[id] {
		if least == "" || name < least {
			least = name
		}
	}
	return b.packages[least]
}

// Neighbours returns other repositories that packages are bound to, at most so many, those of the same owner first: whoever reads one package is likely to ask for
// theirs next. What cannot be read is none.
func (s *Store) Neighbours(ctx context.Context, repo scopes.Repo, most int) []scopes.Repo {
	all, err := s.Repositories(ctx)
	if err != nil {
		return nil
	}
	all = slices.DeleteFunc(all, func(r scopes.Repo) bool { return r.ID == repo.ID })
	far := func(r scopes.Repo) int {
		if r.OwnerID == repo.OwnerID {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b scopes.Repo) int { return cmp.Compare(far(a), far(b)) })
	return all[:min(len(all), most)]
}

// Sample returns a repository that a package of the namespace is bound to, always the same one, and whether there is any: that of the first name in order that was
// ever bound, as long as it still is.
func (s *Store) Sample(ctx context.Context, namespace string) (scopes.Repo, bool) {
	b, err := s.bindings(ctx)
	defer b.mu.Unlock()
	if err != nil {
		return scopes.Repo{}, false
	}
	repo, ok := b.packages[b.lowest[namespace]]
	return repo, ok
}

// Packages returns the names bound to the repository of a number, in order.
func (s *Store) Packages(ctx context.Context, repo int64) ([]string, error) {
	b, err := s.bindings(ctx)
	defer b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(b.repos[repo])), nil
}
