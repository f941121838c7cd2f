package githubtest

import (
	"encoding/json"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// What github.com answers beside its API: the pages and endpoints of logins, and what Actions runs. They have
// no rate limit here, and are not served below /api/v3.

// Names of site routes in counts and faults.
const (
	GetAuthorize    = "GET /login/oauth/authorize"
	PostAuthorize   = "POST /login/oauth/authorize"
	PostAccessToken = "POST /login/oauth/access_token"
	PostDeviceCode  = "POST /login/device/code"
	GetDevice       = "GET /login/device"
	PostDevice      = "POST /login/device"
)

var site = map[string]func(*GitHub, http.ResponseWriter, *http.Request){
	GetAuthorize: getAuthorize, PostAuthorize: postAuthorize, PostAccessToken: postAccessToken,
	PostDeviceCode: postDeviceCode, GetDevice: getDevice, PostDevice: postDevice,
	GetOpenIDConfiguration: getOpenIDConfiguration, GetJWKS: getJWKS, GetIDToken: getIDToken,
}

func (g *GitHub) siteHandler(name string, serve func(*GitHub, http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if mountOf(r) != "" {
			g.handle(route{pattern: unknownRoute, serve: nothing})(w, r)
			return
		}
		rec := g.begin(w, r, name)
		defer g.finish(rec)
		if g.fault(rec, r, name) {
			return
		}
		rec.Header().Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(rec, r.Body, 1<<20)
		serve(g, rec, r)
	}
}

// parameters are those of the query, and of a form or JSON body.
func parameters(r *http.Request) url.Values {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		all := r.URL.Query()
		var fields map[string]any
		if body, err := io.ReadAll(r.Body); err == nil && json.Unmarshal(body, &fields) == nil {
			for name, value := range fields {
				if text, is := value.(string); is {
					all.Set(name, text)
				}
			}
		}
		return all
	}
	if r.ParseForm() != nil {
		return url.Values{}
	}
	return r.Form
}

// says answers an OAuth request: JSON if it is asked for, else a form ("Authorizing OAuth apps"). Errors have
// the status 200, too.
func says(w http.ResponseWriter, r *http.Request, fields map[string]any) {
	if strings.Contains(r.Header.Get("Accept"), "json") {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Write(answer{body: fields}.encode(""))
		return
	}
	form := url.Values{}
	for name, value := range fields {
		text, is := value.(string)
		if !is {
			text = string(answer{body: value}.encode(""))
		}
		form.Set(name, text)
	}
	w.Header().Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	io.WriteString(w, form.Encode())
}

func oauthError(code, description string) map[string]any {
	return map[string]any{
		"error": code, "error_description": description,
		"error_uri": "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/#" + strings.ReplaceAll(code, "_", "-"),
	}
}

// sitePage is the only page there is: what an app asks for, and a button for everybody who might agree.
var sitePage = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>{{.Title}} · fake GitHub</title>
<h1>{{.Title}}</h1>
{{with .Text}}<p>{{.}}</p>{{end}}
{{if .Users}}<form method="post" action="{{.Action}}">
{{range $name, $value := .Hidden}}<input type="hidden" name="{{$name}}" value="{{$value}}">
{{end}}{{if .AskCode}}<p><label>Code <input name="user_code" value="" autocomplete="off"></label></p>
{{end}}{{range .Users}}<p><button name="user" value="{{.}}" id="as-{{.}}">Authorize as {{.}}</button></p>
{{end}}<p><button name="deny" value="1" id="deny">Cancel</button></p>
</form>{{end}}
</html>
`))

type pageContent struct {
	Title, Text, Action string
	Hidden              map[string]string
	AskCode             bool
	Users               []string
}

func show(w http.ResponseWriter, status int, p pageContent) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("X-Frame-Options", "deny")
	w.WriteHeader(status)
	if err := sitePage.Execute(w, p); err != nil {
		panic("githubtest: " + err.Error())
	}
}
