package gate

import (
	"sync/atomic"

	"gatehouse/scopes"
)

// tally counts verdicts. There are few different ones, so each has its place.
type tally [8][16][2]atomic.Uint64

func (t *tally) count(what scopes.Action, v scopes.Verdict) {
	ok := 0
	if v.OK {
		ok = 1
	}
	t[min(int(what), len(t)-1)][min(int(v.Reason), len(t[0])-1)][ok].Add(1)
}

// Tally is how often a verdict fell.
type Tally struct {
	Action  scopes.Action
	Reason  scopes.Reason
	Allowed bool
	Count   uint64
}

// Verdicts yields how often each verdict fell since the gate was made, those that never fell left out.
func (g *Gate) Verdicts(yield func(Tally) bool) {
	for action := range g.tally {
		for reason := range g.tally[action] {
			for ok := range g.tally[action][reason] {
				n := g.tally[action][reason][ok].Load()
				if n > 0 && !yield(Tally{scopes.Action(action), scopes.Reason(reason), ok == 1, n}) {
					return
				}
			}
		}
	}
}
