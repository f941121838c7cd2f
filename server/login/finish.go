package login

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"gatehouse/githubauth/oauth"
	"gatehouse/scopes"
	"gatehouse/server/audit"
	"gatehouse/server/gate"
	"gatehouse/store/sessions"
)

// finish makes the token of a login from what GitHub gave for its code. A GitHub token of which nothing comes is ended.
func (l *logins) finish(c *gin.Context, st state, got oauth.Credential) (state, error) {
	ctx := c.Request.Context()
	who, err := l.identify(ctx, st, got)
	if err == nil {
		st.Login = who.Login
		st.Token, err = l.mint(c, who, st.where(), got)
	}
	if err != nil {
		drop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = l.App.Revoke(drop, got.Access) // it ends by itself where this fails, or its owner ends it
		return st, err
	}
	return st, nil
}

// identify tells whose token it is, once it is known to be one that this registry asked for.
func (l *logins) identify(ctx context.Context, st state, got oauth.Credential) (gate.Caller, error) {
	account, err := l.App.Check(ctx, got.Access)
	if err != nil {
		return gate.Caller{}, err
	}
	who, err := l.Gate.Identify(ctx, http.Header{"Authorization": {"Bearer " + got.Access}}, st.From)
	if err != nil {
		return gate.Caller{}, err
	}
	if who.Kind != scopes.Person || account != 0 && account != who.ID {
		return gate.Caller{}, oauth.ErrForeign
	}
	return who, nil
}

// mint makes the token, and notes for the audit who was logged in.
func (l *logins) mint(c *gin.Context, who gate.Caller, where string, behind oauth.Credential) (string, error) {
	now := l.Now()
	name := "npm login on " + where + " " + now.UTC().Format(time.DateOnly)
	audit.Caller(c, who)
	token, secret, err := l.Mint(c.Request.Context(), who.Principal, name, now.Add(l.Expires), behind)
	if err == nil {
		audit.Changed(c, audit.Change{Action: "login", Note: "the token " + token.ID + ", " + name})
	}
	return secret, err
}

// ask asks GitHub whether the code of a login has been typed, if it is time to, and makes the next step of the login of the answer. Whoever asks
// writes that down first, so that of all processes and pages one does. Errors: sessions.ErrChanged if another did.
func (l *logins) ask(c *gin.Context, s sessions.Session, st state) (sessions.Session, state, error) {
	ctx := c.Request.Context()
	now := l.Now()
	if now.Before(st.Next) {
		return s, st, nil
	}
	st.Next = now.Add(st.Device.Interval)
	s, err := l.write(ctx, s, st)
	if err != nil {
		return s, st, err
	}
	got, err := l.App.Poll(ctx, st.Device.Code)
	if err == nil {
		if st, err = l.finish(c, st, got); err != nil {
			st.Failed = "GitHub's answer could not be used. Run npm login again."
			st.Device = nil
			_, _ = l.write(ctx, s, st) // npm waits in vain otherwise, and no longer than the login lives
			return s, st, err
		}
		st.Device = nil
		s, err = l.write(ctx, s, st)
		return s, st, err
	}
	switch {
	case errors.Is(err, oauth.ErrPending):
		return s, st, nil
	case errors.Is(err, oauth.ErrSlowDown):
		d := *st.Device
		d.Interval += 5 * time.Second
		st.Device, st.Next = &d, now.Add(d.Interval)
	case errors.Is(err, oauth.ErrDenied):
		st.Device, st.Failed = nil, "GitHub was told not to log anybody in. If that was a mistake, run npm login again."
	case errors.Is(err, oauth.ErrSpent):
		st.Device, st.Failed = nil, "The code has expired. Run npm login again."
	default:
		return s, st, err // GitHub cannot be asked now; the next question may find it
	}
	s, err = l.write(ctx, s, st)
	return s, st, err
}
