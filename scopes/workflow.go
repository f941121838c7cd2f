package scopes

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Workflow is a job of GitHub Actions as its ID token describes it. The numbers of Repo are what is decided by; every name is for rules that ask for
// one, and for people.
type Workflow struct {
	Repo        Repo   `json:"repo"`
	Visibility  string `json:"visibility,omitempty"` // of Repo: public, internal or private
	Event       string `json:"event"`
	Ref         string `json:"ref,omitempty"`         // refs/heads/main, refs/tags/v1
	Environment string `json:"environment,omitempty"` // the job's deployment environment
	// File is the path of the workflow that runs, below its repository: .github/workflows/release.yml. Called is the reusable
	// workflow that the job's steps come from, "owner/repo/path", where that is another.
	File   string `json:"file"`
	Called string `json:"called,omitempty"`
	// SelfHosted: the job runs on a machine of its owner's, not of GitHub's.
	SelfHosted bool   `json:"self_hosted,omitempty"`
	RunID      string `json:"run_id,omitempty"`
	Actor      string `json:"actor,omitempty"`
}

// Trust says which workflows of a repository are believed. Empty lists ask for nothing, but for Events.
type Trust struct {
	// Events that may have started the workflow; none listed: TrustedEvents. An event of a pull request is trusted only where it is listed.
	Events []string
	// Refs are patterns as of path.Match with ** for any depth: refs/heads/main, refs/tags/v*.
	Refs []string
	// Environments of which the job must run in one.
	Environments []string
	// Files are workflow files: release.yml, or a whole path. A workflow called from another owner must be listed as owner/repo/path.
	Files []string
	// NotSelfHosted refuses runners of the owner's.
	NotSelfHosted bool
	// AnyCalled trusts workflows that are called from other owners, listed or not.
	AnyCalled bool
}

// TrustedEvents are started by somebody who may write to the repository, and run what is in it.
var TrustedEvents = []string{"push", "release", "workflow_dispatch", "schedule"}

// ReadingEvents are those whose workflows may install where the registry says nothing else: pull requests come with an ID token only from
// the repository itself. Events that run the repository's workflow on what strangers sent are not among them.
var ReadingEvents = []string{"push", "release", "workflow_dispatch", "schedule", "pull_request", "merge_group"}

// ErrDistrusted is wrapped by the errors of Trust.Check. The text says which rule, and what was found.
var ErrDistrusted = errors.New("this workflow may not do this")

// Check returns nil if the rules trust the workflow.
func (t Trust) Check(w Workflow) error {
	events := t.Events
	if len(events) == 0 {
		events = TrustedEvents
	}
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrDistrusted, fmt.Sprintf(format, args...))
	}
	switch {
	case !slices.Contains(events, w.Event):
		return refuse("it was started by the event %.40q, and only %s count", w.Event, strings.Join(events, ", "))
	case len(t.Refs) > 0 && !slices.ContainsFunc(t.Refs, func(p string) bool { return refMatches(p, w.Ref) }):
		return refuse("it runs for %.120q, and only %s count", w.Ref, strings.Join(t.Refs, ", "))
	case len(t.Environments) > 0 && !slices.Contains(t.Environments, w.Environment):
		return refuse("its job runs in the environment %.80q, and has to run in %s", w.Environment, strings.Join(t.Environments, " or "))
	case t.NotSelfHosted && w.SelfHosted:
		return refuse("its job runs on a self-hosted runner")
	case len(t.Files) > 0 && !slices.ContainsFunc(t.Files, func(f string) bool { return sameFile(f, w.File) || strings.EqualFold(f, w.Called) }):
		return refuse("it is %.120q, and only %s count", w.File, strings.Join(t.Files, ", "))
	}
	// The steps of a job that calls another workflow come from there, whatever the caller's file is called.
	if owner, _, found := strings.Cut(w.Called, "/"); found && !t.AnyCalled && !strings.EqualFold(owner, w.Repo.Owner) &&
		!slices.ContainsFunc(t.Files, func(f string) bool { return strings.EqualFold(f, w.Called) }) {
		return refuse("its job is that of %.200q, a workflow of another owner, which has to be listed to count", w.Called)
	}
	return nil
}

// Publisher is a rule of a package's own about the workflows that publish it. What is empty is not asked for.
type Publisher struct {
	File        string // release.yml, or a whole path
	Environment string
}

// CheckPublishers returns nil if the workflow meets one of the rules, or there are none. The error wraps ErrDistrusted.
func CheckPublishers(rules []Publisher, w Workflow) error {
	for _, p := range rules {
		if (p.File == "" || sameFile(p.File, w.File)) && (p.Environment == "" || p.Environment == w.Environment) {
			return nil
		}
	}
	if len(rules) == 0 {
		return nil
	}
	return fmt.Errorf("%w: the package trusts other workflows or environments (npm trust list), and it is %.120q in the environment %.80q", ErrDistrusted, w.File, w.Environment)
}

func sameFile(rule, file string) bool {
	return rule == file || !strings.Contains(rule, "/") && rule == path.Base(file)
}

// refMatches matches a ref like a path; a pattern that ends in /** takes everything below.
func refMatches(pattern, ref string) bool {
	if below, found := strings.CutSuffix(pattern, "**"); found {
		return strings.HasPrefix(ref, below) && ref != below
	}
	ok, err := path.Match(pattern, ref)
	return ok && err == nil
}
