// Package problem is the one place where an error becomes an answer.
//
// It owns the table of status codes, the shape of npm's error bodies, and the line between what a caller is told and what only the
// log learns. Handlers return errors; no other package of the server writes a status of failure.
//
// npm, yarn and bun print one field of the body, "error", as one line; so every body is {"error": "…"} and every text says what is
// wrong and what to do. A 401 carries no WWW-Authenticate: with one, npm prints a sentence of its own and hides ours. 501 is never used: npm would
// retry it.
package problem

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"gatehouse/githubauth"
	"gatehouse/githubauth/oidc"
	"gatehouse/scopes"
	"gatehouse/server/gate"
	"gatehouse/store"
	"gatehouse/store/packument"
	"gatehouse/store/tokens"
)

// Plain is an error that knows its own status, for what concerns HTTP alone.
type Plain struct {
	Status int
	Text   string
}

func (e *Plain) Error() string { return e.Text }

// NotFound is the answer to every name that is not there, and to every name that the caller may not see.
type NotFound struct {
	Package string
	Login   string // the caller; "" if everybody may see everything
	// Hint is what keeps the caller's token from packages of the namespace, whichever they are; "" if nothing is known to.
	Hint string
	// Cause is why a package that is there is not found, for the log.
	Cause error
}

func (e *NotFound) Unwrap() error { return e.Cause }

func (e *NotFound) Error() string {
	if e.Login == "" {
		return e.Package + " is not in this registry"
	}
	text := fmt.Sprintf("%s is not in this registry, or %s cannot read its GitHub repository with this token", e.Package, e.Login)
	if e.Hint != "" {
		text += ". " + e.Hint
	}
	return text
}

// Explained is an error whose answer also tells the caller who they are: a gate.Holder, which depends on their credential alone.
type Explained struct {
	Err    error
	Caller gate.Holder
}

func (e *Explained) Error() string { return e.Err.Error() }

func (e *Explained) Unwrap() error { return e.Err }

// Spoken is an error of a route whose client looks for the text in "message" instead of "error": it stands in both.
type Spoken struct{ Err error }

func (e *Spoken) Error() string { return e.Err.Error() }

func (e *Spoken) Unwrap() error { return e.Err }

// Statuser is an error of a package above this one that knows its own status; its text is for the caller.
type Statuser interface {
	error
	Status() int
}

// Handler is an HTTP handler that may fail.
type Handler func(*gin.Context) error

// Handle makes a gin handler of h: an error it returns becomes the answer, unless the answer has begun.
func Handle(h Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := h(c); err != nil {
			Answer(c, err)
		}
	}
}

// Answer writes the answer to err and leaves err to the access log.
func Answer(c *gin.Context, err error) {
	_ = c.Error(err) // hands it to the access log
	if c.Writer.Written() {
		return
	}
	status, text := Status(err)
	h := c.Writer.Header()
	if status == http.StatusInternalServerError {
		text += " (request " + h.Get("X-Request-Id") + ")"
	}
	for _, name := range []string{"ETag", "Content-Encoding", "Content-Length", "Vary", "Accept-Ranges", "Last-Modified"} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "application/json")
	if u := (*githubauth.Unavailable)(nil); errors.As(err, &u) {
		h.Set("Retry-After", seconds(u.Retry))
	} else if w := (*githubauth.Crowded)(nil); errors.As(err, &w) {
		h.Set("Retry-After", seconds(w.Retry))
	} else if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "5")
	}
	answer := struct {
		Error   string       `json:"error"`
		Message string       `json:"message,omitempty"`
		Caller  *gate.Holder `json:"caller,omitempty"`
	}{Error: text}
	if e := (*Spoken)(nil); errors.As(err, &e) {
		answer.Message = text
	}
	if e := (*Explained)(nil); errors.As(err, &e) {
		answer.Caller = &e.Caller
	}
	body, _ := json.Marshal(answer) // never fails: structs of strings and a number
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.Writer.WriteHeader(status)
	if c.Request.Method == http.MethodHead {
		c.Writer.WriteHeaderNow()
		return
	}
	_, _ = c.Writer.Write(body) // a caller who has gone needs no answer
}

func seconds(d time.Duration) string {
	return strconv.Itoa(int(max(d, time.Second).Round(time.Second).Seconds()))
}

// StatusClientGone is what the log shows for a caller who hung up; nobody receives it.
const StatusClientGone = 499

// Status is the table: the status of an error and the text for the caller. What is not in it is a fault of ours, and says no more than that.
func Status(err error) (status int, text string) {
	var (
		plain        *Plain
		notFound     *NotFound
		refusal      *gate.Refusal
		mismatch     *gate.Mismatch
		disagreement *gate.Disagreement
		invalid      *packument.Invalid
		tooLarge     *packument.TooLarge
		tooLong      *http.MaxBytesError
		unavailable  *githubauth.Unavailable
		crowded      *githubauth.Crowded
		gone         *store.Gone
		behind       *gate.Behind
		aboutTokens  *gate.TokenRefusal
		people       *gate.PeopleRefusal
		denied       *scopes.Denied
		statuser     Statuser
		unnamed      *gate.NoRepository
	)
	switch {
	case errors.As(err, &plain):
		return plain.Status, plain.Text
	case errors.Is(err, gate.ErrNoCredential):
		return http.StatusUnauthorized, "this registry needs a GitHub token: put one into .npmrc as _authToken for this registry's address"
	case errors.Is(err, gate.ErrCredentialForm):
		return http.StatusUnauthorized, err.Error() // not 400: pnpm 10 would read the answer as a packument
	case errors.As(err, &behind) && errors.Is(err, githubauth.ErrBadCredential), errors.Is(err, gate.ErrForeign):
		return http.StatusUnauthorized, "the GitHub credential behind this token is gone (it was revoked, or has expired): mint a new token with one that works (npm token create)"
	case errors.Is(err, tokens.ErrMistyped):
		return http.StatusUnauthorized, err.Error()
	case errors.Is(err, tokens.ErrUnknown):
		return http.StatusUnauthorized, "this token is unknown or was revoked: mint a new one (npm token create)"
	case errors.Is(err, tokens.ErrParent):
		return http.StatusUnauthorized, err.Error() + ": log in again, and mint a new one (npm token create)"
	case errors.Is(err, scopes.ErrExpired):
		return http.StatusUnauthorized, err.Error() + ": mint a new one (npm token create)"
	case errors.Is(err, scopes.ErrElsewhere):
		return http.StatusForbidden, err.Error() + ": it was minted for certain networks only (npm token list shows which)"
	case errors.Is(err, tokens.ErrTooMany):
		return http.StatusForbidden, err.Error()
	case errors.Is(err, oidc.ErrNotGenuine), errors.Is(err, tokens.ErrUsed):
		return http.StatusUnauthorized, err.Error()
	case errors.Is(err, oidc.ErrUnavailable):
		return http.StatusServiceUnavailable, "the issuer of ID tokens cannot be asked for its keys right now; nothing was done, try again later"
	case errors.As(err, &statuser):
		return statuser.Status(), statuser.Error()
	case errors.Is(err, scopes.ErrDistrusted):
		return http.StatusForbidden, err.Error()
	case errors.As(err, &unnamed):
		return http.StatusNotFound, unnamed.Error()
	case errors.Is(err, store.ErrNoRule):
		return http.StatusNotFound, "the package has no rule of that id (npm trust list shows those it has)"
	case errors.Is(err, store.ErrTooMany):
		return http.StatusForbidden, err.Error()
	case errors.Is(err, tokens.ErrNotOne):
		return http.StatusConflict, err.Error() + ": give more of the id (npm token list)"
	case errors.Is(err, tokens.ErrBusy):
		return http.StatusServiceUnavailable, err.Error() + "; nothing was done, try again"
	case errors.Is(err, scopes.ErrScope):
		return http.StatusBadRequest, err.Error()
	case errors.As(err, &aboutTokens):
		if aboutTokens.Hide {
			return http.StatusNotFound, aboutTokens.Error()
		}
		return http.StatusForbidden, aboutTokens.Error()
	case errors.Is(err, githubauth.ErrBadCredential):
		return http.StatusUnauthorized, err.Error()
	case errors.As(err, &crowded):
		return http.StatusTooManyRequests, crowded.Error()
	case errors.As(err, &unavailable):
		return http.StatusServiceUnavailable, "GitHub cannot be asked about permissions right now; nothing was done, try again later"
	case errors.As(err, &notFound):
		return http.StatusNotFound, notFound.Error()
	case errors.As(err, &refusal):
		if refusal.Hide && !refusal.First {
			return http.StatusNotFound, (&NotFound{Package: refusal.Package, Login: refusal.Question.Who.Login}).Error()
		}
		return http.StatusForbidden, refusal.Error()
	case errors.As(err, &people):
		return http.StatusForbidden, people.Error()
	case errors.As(err, &denied):
		return http.StatusForbidden, denied.Error()
	case errors.As(err, &disagreement):
		return http.StatusBadRequest, disagreement.Error()
	case errors.As(err, &mismatch):
		return http.StatusConflict, mismatch.Error()
	case errors.Is(err, scopes.ErrRepositoryField):
		return http.StatusUnprocessableEntity, err.Error()
	case errors.Is(err, scopes.ErrBinding):
		return http.StatusForbidden, err.Error()
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, tooLarge.Error()
	case errors.As(err, &tooLong):
		return http.StatusRequestEntityTooLarge, fmt.Sprintf("the request is larger than the %d bytes this registry takes", tooLong.Limit)
	case errors.As(err, &invalid):
		return http.StatusBadRequest, invalid.Error()
	case errors.As(err, &gone):
		return http.StatusGone, gone.Error()
	case errors.Is(err, store.ErrStale):
		return http.StatusConflict, err.Error() + "; nothing was done, run the command again"
	case errors.Is(err, store.ErrVersionExists):
		return http.StatusConflict, "the version has been published before, and a version is never published twice: use a new version number"
	case errors.Is(err, store.ErrRebound):
		return http.StatusConflict, "the package was bound to another repository meanwhile; try again"
	case errors.Is(err, store.ErrNamespace):
		return http.StatusForbidden, "the namespace stands for another GitHub account, which had this login when its first package was published; nothing can be added to it from here. An operator of the registry can give it to this account (gatehouse bind --help)"
	case errors.Is(err, store.ErrLatest):
		return http.StatusBadRequest, err.Error() + "; point it to another version instead"
	case errors.Is(err, store.ErrNoVersion), errors.Is(err, store.ErrNotFound):
		return http.StatusNotFound, err.Error()
	case errors.Is(err, store.ErrFull):
		return http.StatusInsufficientStorage, "the registry has no space left; nothing was stored. Tell its operator"
	case errors.Is(err, store.ErrUnavailable):
		return http.StatusServiceUnavailable, "the registry's storage cannot be reached right now; nothing was done, try again later"
	case errors.Is(err, store.ErrBusy):
		return http.StatusServiceUnavailable, "the package is being changed by many others; nothing was done, try again"
	case errors.Is(err, packument.ErrBody) && errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout, "the body of the request did not arrive in time"
	case errors.Is(err, packument.ErrBody):
		return http.StatusBadRequest, "the body of the request cannot be read to its end"
	case errors.Is(err, context.Canceled):
		return StatusClientGone, "the request was given up"
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, "this took too long; nothing was done, try again"
	}
	return http.StatusInternalServerError, "the registry failed; its log says why"
}
