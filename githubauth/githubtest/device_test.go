package githubtest

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestDeviceFlow(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	f := started(t, Clock(func() time.Time { return now }))
	f.AddOAuthApp("site", "s3")
	f.AddOAuthApp("elsewhere", "s4")
	f.SetDeviceFlow("elsewhere", true)
	post := func(path string, pairs ...string) map[string]any {
		t.Helper()
		form := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		return (asker{t: t, base: f.URL()}).do("POST "+path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Accept", "application/json").document(t)
	}
	poll := func(client, code, want string) map[string]any {
		t.Helper()
		d := post("/login/oauth/access_token", "client_id", client, "device_code", code, "grant_type", deviceGrant)
		if e, _ := d["error"].(string); e != want {
			t.Errorf("%v, want %q", d, want)
		}
		return d
	}
	start := func() (device, user string) {
		t.Helper()
		d := post("/login/device/code", "client_id", "site", "scope", "repo")
		if d["expires_in"] != 900.0 || d["interval"] != 5.0 || d["verification_uri"] != f.URL()+"/login/device" {
			t.Fatalf("%v", d)
		}
		return d["device_code"].(string), d["user_code"].(string)
	}
	if d := post("/login/device/code", "client_id", "site"); d["error"] != "device_flow_disabled" {
		t.Errorf("%v", d)
	}
	f.SetDeviceFlow("site", true)
	device, user := start()
	poll("site", device, "authorization_pending")
	if d := poll("site", device, "slow_down"); d["interval"] != 10.0 {
		t.Errorf("%v", d)
	}
	now = now.Add(5 * time.Second)
	poll("site", device, "slow_down")
	poll("site", "0000", "incorrect_device_code")
	poll("elsewhere", device, "incorrect_device_code")
	if err := f.AuthorizeDevice("wendy", "AAAA-AAAA"); err == nil {
		t.Error("a wrong user code was taken")
	}
	if err := f.AuthorizeDevice("wendy", strings.ToLower(user)); err != nil {
		t.Error(err)
	}
	now = now.Add(15 * time.Second)
	got := poll("site", device, "")
	f.as(t, got["access_token"].(string)).want(200, "GET /repos/acme/ui")
	poll("site", device, "incorrect_device_code")

	device, user = start()
	if err := f.DenyDevice(user); err != nil {
		t.Error(err)
	}
	poll("site", device, "access_denied")
	device, user = start()
	now = now.Add(deviceLife)
	poll("site", device, "expired_token")
	if err := f.AuthorizeDevice("wendy", user); err == nil {
		t.Error("an expired code was taken")
	}
	// The page
	device, user = start()
	page := (asker{t: t, base: f.URL()}).get("/login/device")
	if page.StatusCode != 200 || !strings.Contains(string(page.body), `name="user_code"`) {
		t.Errorf("%s", page.body)
	}
	form := url.Values{"user_code": {user}, "user": {"rita"}}
	done := (asker{t: t, base: f.URL()}).do("POST /login/device", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	if done.StatusCode != 200 || !strings.Contains(string(done.body), "connected") {
		t.Errorf("%s", done.body)
	}
	got = poll("site", device, "")
	if r := f.as(t, got["access_token"].(string)).get("/user"); r.document(t)["login"] != "rita" {
		t.Errorf("%s", r.body)
	}
	if d := post("/login/oauth/access_token", "client_id", "site", "client_secret", "s3", "grant_type", "password"); d["error"] != "unsupported_grant_type" {
		t.Errorf("%v", d)
	}
}

// TestDeviceFlowOfAnApp has bodies in JSON, and refreshes without a secret, as a public client does.
func TestDeviceFlowOfAnApp(t *testing.T) {
	f := started(t)
	app := f.AddApp(App{Slug: "gatehouse", Device: true})
	post := func(path, body string) map[string]any {
		t.Helper()
		return (asker{t: t, base: f.URL()}).do("POST "+path, body, "Content-Type", "application/json", "Accept", "application/json").document(t)
	}
	d := post("/login/device/code", `{"client_id":"`+app.ClientID+`"}`)
	form := url.Values{"user_code": {d["user_code"].(string)}, "deny": {"1"}}
	page := func(want int) {
		t.Helper()
		r := (asker{t: t, base: f.URL()}).do("POST /login/device", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		if r.StatusCode != want {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
	}
	page(200)
	page(422) // the code is used up
	poll := func() map[string]any {
		t.Helper()
		return post("/login/oauth/access_token", `{"client_id":"`+app.ClientID+`","grant_type":"`+deviceGrant+`","device_code":"`+d["device_code"].(string)+`"}`)
	}
	if got := poll(); got["error"] != "access_denied" {
		t.Errorf("%v", got)
	}
	d = post("/login/device/code", `{"client_id":"`+app.ClientID+`"}`)
	if err := f.AuthorizeDevice("wendy", d["user_code"].(string)); err != nil {
		t.Fatal(err)
	}
	first := poll()
	again := post("/login/oauth/access_token", `{"client_id":"`+app.ClientID+`","grant_type":"refresh_token","refresh_token":"`+first["refresh_token"].(string)+`"}`)
	f.as(t, again["access_token"].(string)).want(200, GetUser)
	f.as(t, first["access_token"].(string)).want(401, GetUser)
	if got := post("/login/device/code", `{"client_id":"nobody"}`); got["error"] != "Not Found" {
		t.Errorf("%v", got)
	}
}
