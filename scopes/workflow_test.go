package scopes

import (
	"errors"
	"testing"
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
