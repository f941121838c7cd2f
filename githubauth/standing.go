package githubauth

import (
	"context"
	"strings"
	"time"

	"gatehouse/scopes"
)

const standingTTL = time.Minute

// Standing tells what keeps the token from private repositories of an owner, whichever they are, and how to mend it: a sentence, or "". like is
// one of the owner's repositories to try it with; a zero Repo leaves what can be told of the token alone.
//
// It costs GitHub at most one question per token, owner and minute, and none where the answer is known. Not to know is "".
func (c *Client) Standing(ctx context.Context, token string, like scopes.Repo) string {
	k, known := c.known.GetIfPresent(c.hash(token))
	if !known {
		kind, err := offline(token)
		if err != nil {
			return ""
		}
		k = c.know(c.hash(token), kind, token)
	}
	if like.ID != 0 && like.OwnerID != 0 {
		if s := c.policyOf(ctx, k, token, like); s != "" {
			return s
		}
	}
	return k.shortOf(token)
}

// policyOf is what the owner's policies say to the token.
func (c *Client) policyOf(ctx context.Context, k *credential, token string, like scopes.Repo) string {
	now := c.now()
	k.mu.RLock()
	s, known := k.standings[like.OwnerID]
	k.mu.RUnlock()
	if known && now.Before(s.until) {
		return s.sentence
	}
	// Whatever comes back, keepOut has noted what it says of the owner.
	epoch := c.forgotten.now()
	_, _ = c.Access(ctx, token, like, scopes.Read)
	k.mu.Lock()
	defer k.mu.Unlock()
	if s, known = k.standings[like.OwnerID]; known && now.Before(s.until) {
		return s.sentence
	}
	if !c.forgotten.since(epoch, k.aboutOwner(like.OwnerID)) {
		k.standings[like.OwnerID] = standing{until: now.Add(standingTTL)}
	}
	return ""
}

// keepOut notes the policy by which an owner refused the credential.
func (c *Client) keepOut(k *credential, epoch uint64, owner int64, why string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if owner == 0 || c.forgotten.since(epoch, k.aboutOwner(owner)) {
		return
	}
	if len(k.standings) >= maxOwners {
		clear(k.standings)
	}
	k.standings[owner] = standing{why, c.now().Add(standingTTL)}
}

// shortOf is what can be told of the token alone.
func (k *credential) shortOf(token string) string {
	k.mu.RLock()
	defer k.mu.RUnlock()
	switch {
	case k.who.At.IsZero():
		return ""
	case k.kind == scoped:
		if reach, _ := scopedReach(k.who.Scopes, false); reach < scopes.Admin {
			return `this token lacks the scope "repo", without which GitHub shows it no private repository; add it in the token's settings on GitHub`
		}
	case k.kind == granular && strings.HasPrefix(token, "github_pat_"):
		return `a fine-grained token reads the repositories it was granted: it needs the owner's, with the permission "Contents: read", and may still await the approval of the organisation`
	case k.kind == granular:
		return `this token reads the repositories its GitHub App is installed on: the app needs the owner's, with the permission "Contents: read"`
	case k.kind == installed && k.who.Principal.Login == "github-actions[bot]":
		return `the token of a workflow reads the private repository it runs in and no other, and that only with "permissions: contents: read"`
	case k.kind == installed:
		return `an installation token reads the repositories its GitHub App is installed on: the app needs the owner's, with the permission "Contents: read"`
	}
	return ""
}
