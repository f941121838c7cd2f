package login

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"regexp"
	"time"

	"github.com/gin-gonic/gin"

	"gatehouse/githubauth/oauth"
	"gatehouse/server/problem"
	"gatehouse/store/sessions"
)

// state is what is known of a login under way. It is stored sealed.
type state struct {
	Began   time.Time  `json:"began"`
	Base    string     `json:"base"` // the registry's address, as npm knows it
	From    netip.Addr `json:"from"` // whoever began it
	Tool    string     `json:"tool,omitempty"`
	Machine string     `json:"machine,omitempty"`

	// Pressed counts how often the button was.
	Pressed int `json:"pressed,omitempty"`
	// Browser is the SHA-256 of the cookie's secret, once a browser has begun its part.
	Browser []byte `json:"browser,omitempty"`
	// State and Verifier are those of the way to GitHub that the browser is on; "" once it has come back.
	State    string `json:"state,omitempty"`
	Verifier string `json:"verifier,omitempty"`
	// Device is set where a code is typed instead; Next is when GitHub may be asked again.
	Device *oauth.Device `json:"device,omitempty"`
	Next   time.Time     `json:"next,omitzero"`

	// Failed is why the login ended without a token, and Token what npm collects.
	Failed string `json:"failed,omitempty"`
	Login  string `json:"login,omitempty"`
	Token  string `json:"token,omitempty"`
}

func (s state) encode() []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic("a login cannot be written down: " + err.Error()) // its fields all can
	}
	return b
}

// where names the machine that npm was run on, as well as it is known.
func (s state) where() string {
	if s.Machine != "" {
		return s.Machine
	}
	return s.address()
}

func (s state) address() string {
	if !s.From.IsValid() {
		return "an unknown address"
	}
	return s.From.String()
}

// read returns a login and what is known of it. Errors: sessions.ErrNone.
func (l *logins) read(ctx context.Context, page string) (sessions.Session, state, error) {
	s, err := l.Sessions.Read(ctx, page)
	if err != nil {
		return s, state{}, err
	}
	var st state
	if err := json.Unmarshal(s.Content, &st); err != nil {
		return s, state{}, fmt.Errorf("what is known of a login cannot be read: %w", err)
	}
	return s, st, nil
}

// write makes the next step of a login. Errors: sessions.ErrChanged.
func (l *logins) write(ctx context.Context, s sessions.Session, st state) (sessions.Session, error) {
	return l.Sessions.Replace(ctx, s, st.encode())
}

// maxBody bounds what npm sends here, in bytes.
const maxBody = 16 << 10

// readJSON reads the body of a request; an empty one leaves v as it is (yarn sends none).
func readJSON(c *gin.Context, v any) error {
	in := json.NewDecoder(http.MaxBytesReader(c.Writer, c.Request.Body, maxBody))
	err := in.Decode(v)
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		return err
	}
	return &problem.Plain{Status: http.StatusBadRequest, Text: "the body of the request is not the JSON that npm sends"}
}

var (
	machineForm  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
	toolForm     = regexp.MustCompile(`^(npm|pnpm|yarn|bun|Bun|vlt)/([0-9][0-9A-Za-z.-]{0,31})( |$)`)
	platformForm = regexp.MustCompile(` (linux|darwin|win32)( |$)`)
	platforms    = map[string]string{"linux": "Linux", "darwin": "macOS", "win32": "Windows"}
)

// machine is a host name that a client gave of itself, if it looks like one.
func machine(name string) string {
	if !machineForm.MatchString(name) {
		return ""
	}
	return name
}

// toolOf names the client for people, by what it says of itself: "npm 11.19.1 on Linux".
func toolOf(agent string) string {
	if len(agent) > 512 {
		return ""
	}
	m := toolForm.FindStringSubmatch(agent)
	if m == nil {
		return ""
	}
	tool := m[1] + " " + m[2]
	if p := platformForm.FindStringSubmatch(agent); p != nil {
		tool += " on " + platforms[p[1]]
	}
	return tool
}
