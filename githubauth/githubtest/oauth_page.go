package githubtest

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// request is what an app asks of a user by redirecting to /login/oauth/authorize.
type request struct {
	client    *client
	scopes    []string
	redirect  *url.URL
	state     string
	challenge string
	prompt    string
}

// authorizeRequest reads the parameters. The error is shown to the user, for it isn't known where to go back to.
func (g *GitHub) authorizeRequest(q url.Values) (rq request, refused string, err error) {
	rq.client = g.clients[q.Get("client_id")]
	if rq.client == nil {
		return rq, "", errors.New("no app has this client_id")
	}
	text := q.Get("redirect_uri")
	if text == "" && len(rq.client.callbacks) > 0 {
		text = rq.client.callbacks[0]
	}
	rq.redirect, err = url.Parse(text)
	if err != nil || rq.redirect.Host == "" {
		return rq, "", errors.New("there is no redirect_uri, and the app has no callback URL")
	}
	if !rq.client.allows(text, rq.redirect) {
		return rq, "", errors.New("the redirect_uri is not associated with this application")
	}
	rq.scopes, rq.state, rq.prompt = scopesOf(q.Get("scope")), q.Get("state"), q.Get("prompt")
	rq.challenge = q.Get("code_challenge")
	if method := q.Get("code_challenge_method"); method != "S256" && (method != "" || rq.challenge != "") {
		refused = "invalid_request"
	} else if method != "" && len(rq.challenge) != 43 {
		refused = "invalid_request"
	}
	return rq, refused, nil
}

func (cl *client) allows(text string, u *url.URL) bool {
	if len(cl.callbacks) > 0 {
		return slices.Contains(cl.callbacks, text)
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

// answer is where the user is sent back to.
func (rq request) answer(parameters map[string]string) string {
	u := *rq.redirect
	q := u.Query()
	for name, value := range parameters {
		q.Set(name, value)
	}
	if rq.state != "" {
		q.Set("state", rq.state)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

func (rq request) denied() string {
	return rq.answer(map[string]string{
		"error": "access_denied", "error_description": "The user has denied your application access.",
		"error_uri": "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-authorization-request-errors/#access-denied",
	})
}

// approve makes the code. Scopes that were granted before come with it.
func (g *GitHub) approve(rq request, user *account) string {
	scopes := append(g.granted(rq.client, user.id), rq.scopes...)
	slices.Sort(scopes)
	text := g.hex(10)
	g.codes[text] = &code{
		client: rq.client, user: user.id, scopes: slices.Compact(scopes), redirect: rq.redirect.String(),
		challenge: rq.challenge, expires: g.now().Add(codeLife),
	}
	return rq.answer(map[string]string{"code": text})
}

// AuthorizeAs does what a browser and its user do: it opens the authorize URL to which an app redirected and
// agrees as the user. It returns where the browser is sent then, the app's callback with code and state. The
// error says what the page would.
func (g *GitHub) AuthorizeAs(user, authorizeURL string) (callback string, err error) {
	return g.decideLogin(authorizeURL, func(rq request) string { return g.approve(rq, g.mustUser(user)) })
}

// DenyLogin is AuthorizeAs for a user who cancels.
func (g *GitHub) DenyLogin(authorizeURL string) (callback string, err error) {
	return g.decideLogin(authorizeURL, request.denied)
}

func (g *GitHub) decideLogin(authorizeURL string, f func(request) string) (string, error) {
	u, err := url.Parse(authorizeURL)
	if err != nil {
		return "", err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	rq, refused, err := g.authorizeRequest(u.Query())
	if err != nil || refused != "" {
		return "", fmt.Errorf("githubtest: the authorize request is refused: %s%v", refused, err)
	}
	return f(rq), nil
}

const sessionCookie = "user_session"

// getAuthorize is GitHub's page. Who is logged in and gave the app these scopes before is sent back at once,
// unless prompt asks to select an account. The cookie is the login.
func getAuthorize(g *GitHub, w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	rq, refused, err := g.authorizeRequest(r.URL.Query())
	switch {
	case err != nil:
		show(w, http.StatusNotFound, pageContent{Title: "Be careful!", Text: err.Error()})
		return
	case refused != "":
		http.Redirect(w, r, rq.answer(map[string]string{"error": refused, "error_description": "code_challenge_method must be S256"}), http.StatusFound)
		return
	}
	if cookie, err := r.Cookie(sessionCookie); err == nil && rq.prompt == "" {
		user := g.accounts[g.logins[fold(cookie.Value)]]
		if user != nil && !user.org && len(g.tokensOf(rq.client, user.id)) > 0 && contained(rq.scopes, g.granted(rq.client, user.id)) {
			http.Redirect(w, r, g.approve(rq, user), http.StatusFound)
			return
		}
	}
	p := pageContent{Title: "Authorize " + rq.client.name, Action: "/login/oauth/authorize", Hidden: map[string]string{}, Users: g.users()}
	if p.Text = "It asks for: " + strings.Join(rq.scopes, ", "); len(rq.scopes) == 0 {
		p.Text = "It asks for what is public."
	}
	for name := range r.URL.Query() {
		p.Hidden[name] = r.URL.Query().Get(name)
	}
	delete(p.Hidden, "user")
	show(w, http.StatusOK, p)
}

func contained(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// users are the logins of all people.
func (g *GitHub) users() []string {
	var all []string
	for _, id := range sortedKeys(maps.Keys(g.accounts)) {
		if a := g.accounts[id]; !a.org && !a.suspended {
			all = append(all, a.login)
		}
	}
	return all
}

// postAuthorize is a button of the page.
func postAuthorize(g *GitHub, w http.ResponseWriter, r *http.Request) {
	form := parameters(r)
	g.mu.Lock()
	defer g.mu.Unlock()
	rq, refused, err := g.authorizeRequest(form)
	if err != nil || refused != "" {
		show(w, http.StatusUnprocessableEntity, pageContent{Title: "Be careful!", Text: fmt.Sprint(refused, err)})
		return
	}
	if form.Get("deny") != "" {
		http.Redirect(w, r, rq.denied(), http.StatusFound)
		return
	}
	user := g.accounts[g.logins[fold(form.Get("user"))]]
	if user == nil || user.org {
		show(w, http.StatusUnprocessableEntity, pageContent{Title: "Sign in", Text: "There is no such user."})
		return
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: user.login, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, g.approve(rq, user), http.StatusFound)
}
