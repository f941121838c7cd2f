package scopes

import (
	"errors"
	"testing"
	"time"
)

func TestTrust(t *testing.T) {
	good := Workflow{
		Repo: Repo{ID: 7, OwnerID: 1, Owner: "acme", Name: "ui"}, Event: "push", Ref: "refs/heads/main",
		File: ".github/workflows/release.yml",
	}
	with := func(change func(*Workflow)) Workflow { w := good; change(&w); return w }
	for name, c := range map[string]struct {
		trust Trust
		w     Workflow
		want  bool
	}{
		"no rules":                         {Trust{}, good, true},
		"release":                          {Trust{}, with(func(w *Workflow) { w.Event = "release" }), true},
		"pull_request":                     {Trust{}, with(func(w *Workflow) { w.Event = "pull_request" }), false},
		"pull_request_target on main":      {Trust{Refs: []string{"refs/heads/main"}}, with(func(w *Workflow) { w.Event = "pull_request_target" }), false},
		"issue_comment":                    {Trust{}, with(func(w *Workflow) { w.Event = "issue_comment" }), false},
		"workflow_run":                     {Trust{}, with(func(w *Workflow) { w.Event = "workflow_run" }), false},
		"no event":                         {Trust{}, with(func(w *Workflow) { w.Event = "" }), false},
		"pull_request, listed":             {Trust{Events: []string{"pull_request"}}, with(func(w *Workflow) { w.Event = "pull_request" }), true},
		"a list replaces the default":      {Trust{Events: []string{"release"}}, good, false},
		"ref":                              {Trust{Refs: []string{"refs/heads/main"}}, good, true},
		"ref, another":                     {Trust{Refs: []string{"refs/heads/main"}}, with(func(w *Workflow) { w.Ref = "refs/heads/main2" }), false},
		"ref, a tag of that name":          {Trust{Refs: []string{"refs/heads/main"}}, with(func(w *Workflow) { w.Ref = "refs/tags/main" }), false},
		"ref, pattern":                     {Trust{Refs: []string{"refs/tags/v*"}}, with(func(w *Workflow) { w.Ref = "refs/tags/v1.2.3" }), true},
		"ref, pattern is not deep":         {Trust{Refs: []string{"refs/tags/v*"}}, with(func(w *Workflow) { w.Ref = "refs/tags/v1/x" }), false},
		"ref, deep pattern":                {Trust{Refs: []string{"refs/heads/release/**"}}, with(func(w *Workflow) { w.Ref = "refs/heads/release/1/x" }), true},
		"ref, deep pattern has something":  {Trust{Refs: []string{"refs/heads/release/**"}}, with(func(w *Workflow) { w.Ref = "refs/heads/release/" }), false},
		"ref, broken pattern":              {Trust{Refs: []string{"refs/heads/[main"}}, good, false},
		"environment":                      {Trust{Environments: []string{"npm"}}, with(func(w *Workflow) { w.Environment = "npm" }), true},
		"environment, none":                {Trust{Environments: []string{"npm"}}, good, false},
		"file":                             {Trust{Files: []string{"release.yml"}}, good, true},
		"file, whole path":                 {Trust{Files: []string{".github/workflows/release.yml"}}, good, true},
		"file, another":                    {Trust{Files: []string{"release.yml"}}, with(func(w *Workflow) { w.File = ".github/workflows/ci.yml" }), false},
		"file, a suffix":                   {Trust{Files: []string{"release.yml"}}, with(func(w *Workflow) { w.File = ".github/workflows/evil-release.yml" }), false},
		"self-hosted":                      {Trust{}, with(func(w *Workflow) { w.SelfHosted = true }), true},
		"self-hosted, refused":             {Trust{NotSelfHosted: true}, with(func(w *Workflow) { w.SelfHosted = true }), false},
		"called, same owner":               {Trust{}, with(func(w *Workflow) { w.Called = "Acme/flows/.github/workflows/r.yml" }), true},
		"called, another owner":            {Trust{}, with(func(w *Workflow) { w.Called = "evil/flows/.github/workflows/r.yml" }), false},
		"called, another owner, listed":    {Trust{Files: []string{"evil/flows/.github/workflows/r.yml"}}, with(func(w *Workflow) { w.Called = "evil/flows/.github/workflows/r.yml" }), true},
		"called, another owner, file fits": {Trust{Files: []string{"release.yml"}}, with(func(w *Workflow) { w.Called = "evil/flows/.github/workflows/r.yml" }), false},
	} {
		if err := c.trust.Check(c.w); (err == nil) != c.want || err != nil && !errors.Is(err, ErrDistrusted) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWorkflowAccess: numbers decide, and nothing but what is listed lets a workflow in.
func TestWorkflowAccess(t *testing.T) {
	own := Repo{ID: 7, OwnerID: 1, Owner: "acme", Name: "ui"}
	api := Repo{ID: 8, OwnerID: 1, Owner: "acme", Name: "api"}
	moved := func(r Repo, owner int64) Repo { r.OwnerID = owner; return r }
	internal := func(r Repo) Ground { return Ground{Public: Public{Internal: r}} }
	for name, c := range map[string]struct {
		w    Repo
		repo Repo
		what Action
		g    Ground
		want Permission
	}{
		"publishes its own":                      {own, own, Publish, Ground{}, Write},
		"tags its own":                           {own, own, Tag, Ground{}, Write},
		"reads its own":                          {own, own, Install, Ground{}, Write},
		"unpublishes nothing":                    {own, own, Unpublish, Ground{}, Read},
		"deprecates nothing":                     {own, own, Deprecate, Ground{}, Read},
		"manages nothing":                        {own, own, Manage, Ground{}, Write},
		"another":                                {own, api, Install, Ground{}, None},
		"one of the same name":                   {Repo{ID: 9, OwnerID: 2, Owner: "acme", Name: "ui"}, own, Publish, Ground{}, None},
		"admitted":                               {own, api, Install, Ground{Admitted: []Repo{own}}, Read},
		"admitted, for more than reading":        {own, api, Publish, Ground{Admitted: []Repo{own}}, Read},
		"another is admitted":                    {own, api, Install, Ground{Admitted: []Repo{api, {ID: 9, OwnerID: 1, Owner: "acme", Name: "ui"}}}, None},
		"admitted, and has another owner since":  {moved(own, 2), api, Install, Ground{Admitted: []Repo{own}}, None},
		"internal":                               {own, api, Install, internal(api), Read},
		"internal, of another owner":             {moved(own, 2), api, Install, internal(api), None},
		"internal, and has another owner since":  {own, api, Install, internal(moved(api, 2)), None},
		"internal is another":                    {own, api, Install, internal(Repo{ID: 9, OwnerID: 1}), None},
		"internal, for more than reading":        {own, api, Tag, internal(api), Read},
		"public is decided elsewhere":            {own, api, Install, Ground{Public: Public{Repo: api}}, None},
		"a workflow of no repository":            {Repo{}, Repo{}, Publish, Ground{Admitted: []Repo{{}}}, None},
		"a workflow of a repository of nobody's": {Repo{ID: 7}, Repo{ID: 7}, Publish, Ground{Admitted: []Repo{{ID: 7}}}, None},
	} {
		w := Workflow{Repo: c.w}
		if a := w.Access(c.repo, c.what, c.g, time.Time{}); a.Permission() != c.want || c.want > None && a.Repo.ID != c.repo.ID {
			t.Errorf("%s: %+v, want %v", name, a, c.want)
		}
	}
	// A repository that has gone to another owner is frozen for those it admits too, where that is known.
	w := Workflow{Repo: own}
	q := Question{Who: w.Principal(), What: Install, Package: "@acme/api", Where: Binding{Kind: GitHub, Repo: api}}
	q.Access = w.Access(api, Install, Ground{Admitted: []Repo{own}, Public: Public{Internal: moved(api, 2)}}, time.Time{})
	if v := Decide(q); v.OK || v.Reason != Transferred {
		t.Errorf("%+v", v)
	}
}

func TestPublishers(t *testing.T) {
	w := Workflow{File: ".github/workflows/release.yml", Environment: "npm"}
	for name, c := range map[string]struct {
		rules []Publisher
		want  bool
	}{
		"none":                 {nil, true},
		"file":                 {[]Publisher{{File: "release.yml"}}, true},
		"both":                 {[]Publisher{{File: "release.yml", Environment: "npm"}}, true},
		"one of two":           {[]Publisher{{File: "x.yml"}, {Environment: "npm"}}, true},
		"another file":         {[]Publisher{{File: "elease.yml"}}, false},
		"another environment":  {[]Publisher{{File: "release.yml", Environment: "prod"}}, false},
		"half of each of two":  {[]Publisher{{File: "x.yml", Environment: "npm"}, {File: "release.yml", Environment: "x"}}, false},
		"environment, in caps": {[]Publisher{{Environment: "NPM"}}, false},
	} {
		if err := CheckPublishers(c.rules, w); (err == nil) != c.want || err != nil && !errors.Is(err, ErrDistrusted) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
