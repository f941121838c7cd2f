package githubtest

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// device is a device flow under way ("Authorizing OAuth apps", Device flow).
type device struct {
	client   *client
	userCode string
	scopes   []string
	expires  time.Time
	interval time.Duration
	polled   time.Time
	user     int64 // who agreed; 0: nobody yet
	denied   bool
}

// userCodes are typed by people: consonants only, as GitHub's.
const userCodes = "BCDFGHJKLMNPQRSTVWXZ"

func postDeviceCode(g *GitHub, w http.ResponseWriter, r *http.Request) {
	form := parameters(r)
	g.mu.Lock()
	defer g.mu.Unlock()
	cl := g.clients[form.Get("client_id")]
	switch {
	case cl == nil:
		w.WriteHeader(http.StatusNotFound)
		says(w, r, map[string]any{"error": "Not Found"})
		return
	case !cl.device:
		says(w, r, oauthError("device_flow_disabled", "Device Flow must be explicitly enabled for this App"))
		return
	}
	letters := g.bytes(8)
	for i := range letters {
		letters[i] = userCodes[int(letters[i])%len(userCodes)]
	}
	d := &device{
		client: cl, userCode: string(letters[:4]) + "-" + string(letters[4:]), scopes: scopesOf(form.Get("scope")),
		expires: g.now().Add(deviceLife), interval: 5 * time.Second,
	}
	text := g.hex(20)
	g.devices[text] = d
	says(w, r, map[string]any{
		"device_code": text, "user_code": d.userCode, "verification_uri": scheme(r) + r.Host + "/login/device",
		"expires_in": int(deviceLife / time.Second), "interval": int(d.interval / time.Second),
	})
}

// exchangeDevice is one poll. Polling faster than the interval makes it five seconds longer.
func (g *GitHub) exchangeDevice(cl *client, form url.Values) map[string]any {
	text := form.Get("device_code")
	d, now := g.devices[text], g.now()
	switch {
	case !cl.device:
		return oauthError("device_flow_disabled", "Device Flow must be explicitly enabled for this App")
	case d == nil || d.client != cl:
		return oauthError("incorrect_device_code", "The device_code provided is not valid.")
	case !now.Before(d.expires):
		return oauthError("expired_token", "This 'device_code' has expired.")
	case d.denied:
		return oauthError("access_denied", "The authorization request was denied.")
	}
	if !d.polled.IsZero() && now.Sub(d.polled) < d.interval {
		d.interval += 5 * time.Second
		d.polled = now
		e := oauthError("slow_down", "Too many requests have been made in the same timeframe.")
		e["interval"] = int(d.interval / time.Second)
		return e
	}
	d.polled = now
	if d.user == 0 {
		return oauthError("authorization_pending", "The authorization request is still pending.")
	}
	delete(g.devices, text)
	scopes := append(g.granted(cl, d.user), d.scopes...)
	slices.Sort(scopes)
	t := g.grantTo(cl, d.user, slices.Compact(scopes))
	t.device = true
	return g.hand(t)
}

// AuthorizeDevice does what a user does at /login/device: enters the code that the device showed, and agrees.
func (g *GitHub) AuthorizeDevice(user, userCode string) error {
	return g.enter(userCode, func(d *device) { d.user = g.mustUser(user).id })
}

// DenyDevice is AuthorizeDevice for a user who cancels.
func (g *GitHub) DenyDevice(userCode string) error {
	return g.enter(userCode, func(d *device) { d.denied = true })
}

func (g *GitHub) enter(userCode string, f func(*device)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	d := g.deviceOf(userCode)
	if d == nil {
		return errors.New("githubtest: no device shows this code, or it has expired: " + userCode)
	}
	f(d)
	return nil
}

// deviceOf finds the flow that waits for a user code; hyphens and case don't matter.
func (g *GitHub) deviceOf(userCode string) *device {
	plain := func(s string) string { return strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(s)) }
	for _, d := range g.devices {
		if plain(d.userCode) == plain(userCode) && g.now().Before(d.expires) && d.user == 0 && !d.denied {
			return d
		}
	}
	return nil
}

func getDevice(g *GitHub, w http.ResponseWriter, _ *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	show(w, http.StatusOK, pageContent{
		Title: "Device Activation", Text: "Enter the code displayed on your device.", Action: "/login/device", AskCode: true, Users: g.users(),
	})
}

func postDevice(g *GitHub, w http.ResponseWriter, r *http.Request) {
	form := parameters(r)
	g.mu.Lock()
	defer g.mu.Unlock()
	d, user := g.deviceOf(form.Get("user_code")), g.accounts[g.logins[fold(form.Get("user"))]]
	switch {
	case d == nil:
		show(w, http.StatusUnprocessableEntity, pageContent{Title: "Device Activation", Text: "The user code is not valid."})
	case form.Get("deny") != "":
		d.denied = true
		show(w, http.StatusOK, pageContent{Title: "Device Activation", Text: "The device was not authorized."})
	case user == nil || user.org:
		show(w, http.StatusUnprocessableEntity, pageContent{Title: "Sign in", Text: "There is no such user."})
	default:
		d.user = user.id
		show(w, http.StatusOK, pageContent{Title: "Congratulations, you're all set!", Text: "Your device is now connected."})
	}
}
