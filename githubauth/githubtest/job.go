package githubtest

import (
	"cmp"
	"maps"
	"strconv"
	"strings"
	"time"
)

// Job is a job of GitHub Actions with the permission id-token: write. What is left empty is what a push to the
// default branch has.
type Job struct {
	Repo        string // owner/name; the only field that must be set
	Workflow    string // file below .github/workflows; release.yml
	Event       string // event_name; push
	Ref         string // refs/heads/…, refs/tags/…, refs/pull/1/merge; as the event has it
	HeadRef     string // branch of a pull request
	BaseRef     string
	Environment string
	Actor       string // a login; the owner, or an owner of the organization
	SelfHosted  bool

	// Called is the reusable workflow that runs, owner/name/.github/workflows/file@ref, if it isn't the caller's own.
	Called string

	// Claims replace those of the ID tokens, or take them away if nil: for tokens that GitHub would not make.
	Claims map[string]any
}

// run is a job as it runs: what it is was fixed when it began.
type run struct {
	job     Job
	id      string
	repo    *repo
	claims  map[string]any
	request string // ACTIONS_ID_TOKEN_REQUEST_TOKEN
}

const idTokenLife = 5 * time.Minute

// claimNames are those of github.md §5.
var claimNames = []string{
	"sub", "aud", "exp", "iat", "iss", "jti", "nbf", "ref", "sha", "repository", "repository_id", "repository_owner", "repository_owner_id",
	"repository_visibility", "enterprise", "enterprise_id", "run_id", "run_number", "run_attempt", "actor", "actor_id", "workflow",
	"workflow_ref", "workflow_sha", "head_ref", "base_ref", "event_name", "ref_protected", "ref_type", "environment",
	"job_workflow_ref", "job_workflow_sha", "runner_environment", "check_run_id",
}

// IDToken is an ID token of a job that begins now, as the job would get it for the audience; no audience is
// GitHub's default, the address of the repository's owner.
func (g *GitHub) IDToken(job Job, audience string) string {
	web := g.URL()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.idToken(g.begins(job), web, audience)
}

// ActionsEnv begins a job and returns the variables of its environment, those among them with which npm asks
// for an ID token. GITHUB_TOKEN is not one: see Actions.
func (g *GitHub) ActionsEnv(job Job) map[string]string {
	web := g.URL()
	g.mu.Lock()
	defer g.mu.Unlock()
	rn := g.begins(job)
	env := map[string]string{
		"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": web, "GITHUB_API_URL": web + "/api/v3", "GITHUB_GRAPHQL_URL": web + "/api/graphql",
		"GITHUB_JOB": "publish", "RUNNER_OS": "Linux", "RUNNER_ARCH": "X64", "RUNNER_NAME": "fake",
		"ACTIONS_ID_TOKEN_REQUEST_URL":   web + "/_services/idtoken/" + rn.id + "?api-version=2.0",
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN": rn.request,
	}
	for _, name := range []string{
		"repository", "repository_id", "repository_owner", "repository_owner_id", "ref", "ref_type", "ref_protected", "sha", "run_id", "run_number",
		"run_attempt", "workflow", "workflow_ref", "workflow_sha", "event_name", "actor", "actor_id", "head_ref", "base_ref",
	} {
		env["GITHUB_"+strings.ToUpper(name)], _ = rn.claims[name].(string)
	}
	env["RUNNER_ENVIRONMENT"], _ = rn.claims["runner_environment"].(string)
	_, name := kindOfRef(env["GITHUB_REF"])
	env["GITHUB_REF_NAME"] = name
	return env
}

// begins fixes what the job is.
func (g *GitHub) begins(job Job) *run {
	r := g.mustRepo(job.Repo)
	owner := g.accounts[r.owner]
	job.Workflow = cmp.Or(job.Workflow, "release.yml")
	job.Event = cmp.Or(job.Event, "push")
	if strings.HasPrefix(job.Event, "pull_request") {
		job.HeadRef, job.BaseRef = cmp.Or(job.HeadRef, "patch"), cmp.Or(job.BaseRef, r.branch)
	}
	switch {
	case job.Ref != "":
	case job.Event == "pull_request":
		job.Ref = "refs/pull/1/merge"
	case job.Event == "release":
		job.Ref = "refs/tags/v1.0.0"
	default: // pull_request_target among them, since 2025-12-08
		job.Ref = "refs/heads/" + r.branch
	}
	actor := g.ownerOf(owner)
	if job.Actor != "" {
		actor = g.mustUser(job.Actor)
	}
	full, kind := g.fullName(r), "branch"
	if k, _ := kindOfRef(job.Ref); k == "tag" {
		kind = k
	}
	file := full + "/.github/workflows/" + job.Workflow
	runner := "github-hosted"
	if job.SelfHosted {
		runner = "self-hosted"
	}
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	g.lastRun++
	rn := &run{job: job, id: number(9_000_000_000 + g.lastRun), repo: r, request: g.word(120, "request")}
	workflow := file + "@" + job.Ref
	rn.claims = map[string]any{
		"sub": g.subject(r, job), "ref": job.Ref, "ref_type": kind, "ref_protected": "false", "sha": commitOf(r),
		"repository": full, "repository_id": number(r.id), "repository_owner": owner.login, "repository_owner_id": number(owner.id),
		"repository_visibility": string(r.visibility), "run_id": rn.id, "run_number": number(g.lastRun), "run_attempt": "1",
		"actor": actor.login, "actor_id": number(actor.id), "workflow": strings.TrimSuffix(strings.TrimSuffix(job.Workflow, ".yaml"), ".yml"),
		"workflow_ref": workflow, "workflow_sha": commitOf(r), "job_workflow_ref": cmp.Or(job.Called, workflow), "job_workflow_sha": commitOf(r),
		"head_ref": job.HeadRef, "base_ref": job.BaseRef, "event_name": job.Event, "runner_environment": runner,
		"check_run_id": number(8_000_000_000 + g.lastRun),
	}
	if job.Environment != "" {
		rn.claims["environment"] = job.Environment
	}
	if r.visibility == Internal {
		rn.claims["enterprise"], rn.claims["enterprise_id"] = "fake", "1"
	}
	g.runs[rn.request] = rn
	return rn
}

// subject is `sub`: with numbers for repositories made, renamed or transferred since 2026-07-15 (github.md §5).
func (g *GitHub) subject(r *repo, job Job) string {
	owner := g.accounts[r.owner]
	name := "repo:" + owner.login + "/" + r.name
	if r.subjectIDs {
		name = "repo:" + owner.login + "@" + strconv.FormatInt(owner.id, 10) + "/" + r.name + "@" + strconv.FormatInt(r.id, 10)
	}
	escape := func(s string) string { return strings.ReplaceAll(s, ":", "%3A") }
	switch {
	case job.Environment != "":
		return name + ":environment:" + escape(job.Environment)
	case job.Event == "pull_request":
		return name + ":pull_request"
	}
	return name + ":ref:" + escape(job.Ref)
}

var subjectsChanged = time.Date(2026, 7, 15, 0, 0, 0, 0, time.UTC)

// named notes that the repository got its name.
func (g *GitHub) named(r *repo) { r.subjectIDs = r.subjectIDs || !g.now().Before(subjectsChanged) }

func kindOfRef(ref string) (kind, name string) {
	if name, is := strings.CutPrefix(ref, "refs/tags/"); is {
		return "tag", name
	}
	return "branch", strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/")
}

func (g *GitHub) idToken(rn *run, web, audience string) string {
	now := g.now()
	id := g.hex(16)
	claims := maps.Clone(rn.claims)
	maps.Copy(claims, map[string]any{
		"iss": web + issuerPath, "aud": audience, "iat": now.Unix(), "nbf": now.Add(-10 * time.Minute).Unix(), "exp": now.Add(idTokenLife).Unix(),
		"jti": id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:],
	})
	if audience == "" {
		owner, _ := claims["repository_owner"].(string)
		claims["aud"] = web + "/" + owner
	}
	for name, value := range rn.job.Claims {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	key := g.signing()
	return signJWT(key.key, key.id, claims)
}
