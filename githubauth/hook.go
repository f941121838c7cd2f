package githubauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ErrHook: a webhook is not from GitHub, or cannot be read.
var ErrHook = errors.New("webhook")

// VerifyHook returns nil if body was signed with secret, as the X-Hub-Signature-256 header says. SHA-1 signatures are not looked at, and without a secret
// nothing is genuine. Errors wrap ErrHook.
func VerifyHook(secret, signatureHeader string, body []byte) error {
	if secret == "" {
		return fmt.Errorf("%w: no secret is configured for GitHub's webhooks", ErrHook)
	}
	given, err := hex.DecodeString(strings.TrimPrefix(signatureHeader, "sha256="))
	if err != nil || !strings.HasPrefix(signatureHeader, "sha256=") {
		return fmt.Errorf("%w: the request has no SHA-256 signature in X-Hub-Signature-256", ErrHook)
	}
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	if !hmac.Equal(given, m.Sum(nil)) {
		return fmt.Errorf("%w: the signature does not fit: the secret here is not the one that GitHub was given, or somebody else sent this", ErrHook)
	}
	return nil
}

// account and payload are the numbers in an event that say whom it is about. Nothing else in it is believed: order and delivery of events are not
// guaranteed, so the new state is asked for.
type account struct {
	ID int64 `json:"id"`
}

type payload struct {
	Action       string   `json:"action"`
	Repository   *account `json:"repository"`
	Organization *account `json:"organization"`
	Member       *account `json:"member"`
	Sender       *account `json:"sender"`
	Account      *account `json:"account"`
	BlockedUser  *account `json:"blocked_user"`
	Membership   *struct {
		User *account `json:"user"`
	} `json:"membership"`
	Installation *struct {
		Account *account `json:"account"`
	} `json:"installation"`
}

// HookEffect tells what an event, named by X-GitHub-Event, may have changed (nothing, for those that do not concern access), and the event's name with its
// action, for the log. body must have been verified. An event about access whose numbers are missing changes everything. Errors wrap ErrHook.
func HookEffect(event string, body []byte) (Forgotten, string, error) {
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return Forgotten{}, "", fmt.Errorf("%w: the payload is not JSON of the expected form: send it as application/json", ErrHook)
	}
	name := word(event)
	if p.Action != "" {
		name += "." + word(p.Action)
	}
	var f Forgotten
	known := true // whether all the numbers are there that the event is about
	need := func(at *int64, a *account) {
		if a == nil || a.ID <= 0 {
			known = false
			return
		}
		*at = a.ID
	}
	switch event {
	case "repository", "public":
		need(&f.Repo, p.Repository)
	case "member":
		need(&f.Repo, p.Repository)
		need(&f.User, p.Member)
	case "membership", "team", "team_add", "personal_access_token_request":
		need(&f.Owner, p.Organization)
	case "organization":
		need(&f.Owner, p.Organization)
		// A member's coming and going carries a membership; the organization's own changes do not.
		if p.Membership != nil && p.Membership.User != nil && p.Membership.User.ID > 0 {
			f.User = p.Membership.User.ID
		}
	case "org_block":
		need(&f.Owner, p.Organization)
		need(&f.User, p.BlockedUser)
	case "installation", "installation_repositories":
		if p.Installation == nil {
			known = false
			break
		}
		need(&f.Owner, p.Installation.Account)
	case "installation_target":
		need(&f.Owner, p.Account)
	case "github_app_authorization":
		need(&f.User, p.Sender)
	default:
		return Forgotten{}, name, nil
	}
	if !known {
		f = Forgotten{All: true}
	}
	return f, name, nil
}

// word keeps what GitHub's names of events are made of.
func word(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r == '_' {
			return r
		}
		return -1
	}, s[:min(len(s), 50)])
}
