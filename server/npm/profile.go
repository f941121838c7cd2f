package npm

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
	"gatehouse/server/problem"
)

const npmTime = "2006-01-02T15:04:05.000Z"

// profile answers npm profile get with what GitHub shows the caller's credential of its holder.
func (p *protocol) profile(c *gin.Context) error {
	who, err := p.caller(c)
	if err != nil {
		return err
	}
	if who.Kind != scopes.Person {
		return &problem.Plain{Status: http.StatusForbidden, Text: "this token is no person's, and has no profile"}
	}
	person, err := p.Gate.Profile(c.Request.Context(), who)
	if err != nil {
		return err
	}
	return answer(c, map[string]any{
		"name": person.Login, "email": p.mailOf(person), "email_verified": person.MailVerified, "fullname": person.Name, "homepage": person.Homepage,
		"github": person.Login, "twitter": person.Twitter, "freenode": "", "created": stamp(person.Created), "updated": stamp(person.Updated), "tfa": secondFactor(person),
	})
}

// secondFactor is npm's word for it. What GitHub does not show is not "disabled", which is what npm makes of nothing.
func secondFactor(p scopes.Profile) any {
	switch {
	case p.TwoFactor == nil:
		return map[string]any{"mode": "kept by GitHub, which does not show it to this token", "pending": false}
	case *p.TwoFactor:
		return map[string]any{"mode": "auth-and-writes", "pending": false}
	}
	return false
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(npmTime)
}

// mailOf is the address that GitHub shows, or the one of GitHub's that reaches nobody.
func (p *protocol) mailOf(person scopes.Profile) string {
	if person.Mail != "" {
		return person.Mail
	}
	return strconv.FormatInt(person.ID, 10) + "+" + person.Login + "@" + p.MailDomain
}

// setProfile refuses npm profile set, enable-2fa and disable-2fa: people are GitHub's.
func (p *protocol) setProfile(c *gin.Context) error {
	if _, err := p.caller(c); err != nil {
		return err
	}
	host := "https://" + p.Gate.Names().Host
	return &problem.Plain{Status: http.StatusForbidden, Text: fmt.Sprintf(
		"profiles are kept by GitHub: change yours at %s/settings/profile, and password and second factor at %s/settings/security", host, host)}
}
