package scopes

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// TokenRequest is what somebody asks for who wants a token.
type TokenRequest struct {
	Name, Description string
	Grant             Grant
}

// tokenFields are all fields of a request, in the three forms that it may have: that of npm 10 and before (readonly), that of npm 11 and
// later (packages …), and our own (scope).
type tokenFields struct {
	Name        *string  `json:"name"`
	Description *string  `json:"description"`
	Expires     any      `json:"expires"`
	CIDR        []string `json:"cidr"`
	Whitelist   []string `json:"cidr_whitelist"`

	Scope json.RawMessage `json:"scope"`

	Readonly *bool `json:"readonly"`

	Packages       []string `json:"packages"`
	PackagesAll    bool     `json:"packages_all"`
	Scopes         []string `json:"scopes"`
	Permission     string   `json:"packages_and_scopes_permission"`
	Orgs           []string `json:"orgs"`
	OrgsPermission string   `json:"orgs_permission"`

	// Password is not looked at: npm always asks for one, and there is none here. Bypass is always so: there is no second factor either.
	Password any  `json:"password"`
	Bypass   bool `json:"bypass_2fa"`
}

const (
	maxName        = 255
	maxDescription = 1000
	maxNetworks    = 100
	maxDays        = 3650
)

// ParseTokenRequest reads the body of a request for a token. What it asks for is taken as a whole or refused: nothing is left out that would make
// the token another than was asked for. names are those that this registry serves. Errors wrap ErrScope.
//
// npm's flags are about packages alone, so a token that they make has no rights to users.
func ParseTokenRequest(body []byte, names Namespaces, now time.Time) (r TokenRequest, err error) {
	if err := oneMeaning(body); err != nil {
		return r, requestError("%s", err)
	}
	var f tokenFields
	in := json.NewDecoder(bytes.NewReader(body))
	in.DisallowUnknownFields()
	in.UseNumber()
	if err := in.Decode(&f); err != nil {
		return r, requestError("cannot be read: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return r, requestError("has something behind its end")
	}
	if r.Name, err = label("name", f.Name, maxName); err != nil {
		return r, err
	}
	if r.Description, err = label("description", f.Description, maxDescription); err != nil {
		return r, err
	}
	if r.Grant.Until, err = f.until(now); err != nil {
		return r, err
	}
	if r.Grant.From, err = f.from(); err != nil {
		return r, err
	}
	if r.Grant.Rights, err = f.rights(); err != nil {
		return r, err
	}
	return r, r.Grant.Rights.served(names)
}

func requestError(format string, args ...any) error {
	return &scopeErr{"the request for a token " + fmt.Sprintf(format, args...)}
}

// label is text for people: shown in terminals, so without anything that controls one.
func label(what string, text *string, most int) (string, error) {
	if text == nil {
		return "", nil
	}
	s := strings.TrimSpace(*text)
	if len(s) > most {
		return "", requestError("has a %s longer than %d bytes", what, most)
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "", requestError("has a %s with characters that cannot be shown", what)
	}
	return s, nil
}

// until is the end that is asked for: a number of days, or a moment; zero if none is.
func (f tokenFields) until(now time.Time) (time.Time, error) {
	var until time.Time
	switch v := f.Expires.(type) {
	case nil:
		return time.Time{}, nil
	case json.Number:
		days, err := strconv.ParseUint(v.String(), 10, 16)
		if err != nil || days < 1 || days > maxDays {
			return time.Time{}, requestError("has an end that is not in 1 to %d whole days (--expires)", maxDays)
		}
		until = now.Add(time.Duration(days) * 24 * time.Hour)
	case string:
		var err error
		if until, err = time.Parse(time.RFC3339, v); err != nil {
			return time.Time{}, requestError(`has an end that is neither a number of days nor a time such as "2027-01-31T12:00:00Z"`)
		}
		if !until.After(now) || until.After(now.Add(maxDays*24*time.Hour)) {
			return time.Time{}, requestError("has an end that has passed, or that is more than %d days away", maxDays)
		}
	default:
		return time.Time{}, requestError("has an end that is neither a number of days nor a time")
	}
	return until.UTC().Truncate(time.Second), nil
}

// from are the networks that are asked for.
func (f tokenFields) from() ([]netip.Prefix, error) {
	if len(f.CIDR) > 0 && len(f.Whitelist) > 0 {
		return nil, requestError(`has both "cidr" and "cidr_whitelist"`)
	}
	list := append(f.CIDR, f.Whitelist...)
	if len(list) > maxNetworks {
		return nil, requestError("names more than %d networks", maxNetworks)
	}
	var networks []netip.Prefix
	for _, text := range list {
		p, err := netip.ParsePrefix(text)
		if a, err2 := netip.ParseAddr(text); err2 == nil && a.Zone() == "" {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if a := p.Addr(); err == nil && a.Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		switch {
		case err != nil:
			return nil, requestError("names %.60q, which is no network such as 10.0.0.0/8 or 2001:db8::/32", text)
		case p != p.Masked():
			return nil, requestError("names the network %s, which has bits beyond its length; did you mean %s or %s?", p, p.Masked(), p.Addr())
		}
		networks = append(networks, p)
	}
	return networks, nil
}

// rights are those of the one form that the request has.
func (f tokenFields) rights() (Rights, error) {
	modern := len(f.Packages) > 0 || f.PackagesAll || len(f.Scopes) > 0 || f.Permission != "" || len(f.Orgs) > 0 || f.OrgsPermission != ""
	own := len(f.Scope) > 0
	switch {
	case own && (modern || f.Readonly != nil):
		return nil, requestError(`has a "scope" and other fields that say the same; give one or the other`)
	case own:
		return ParseRights(f.Scope)
	case modern && f.Readonly != nil:
		return nil, requestError(`has "readonly", which is npm 10's, and fields of npm 11's; give one or the other`)
	case f.Readonly != nil:
		return packages(Use{Read: true, Write: !*f.Readonly}, "*"), nil
	}
	return f.modern()
}

func packages(use Use, values ...string) Rights {
	return Rights{{Values: values, Types: Types{Pkg: use}}}
}

// modern are the rights that npm 11's and 12's flags stand for.
func (f tokenFields) modern() (Rights, error) {
	if f.OrgsPermission != "" && f.OrgsPermission != "no-access" || len(f.Orgs) > 0 {
		return nil, requestError("asks for rights to organizations (--orgs, --orgs-permission), which are managed on GitHub and not with tokens of this registry")
	}
	var use Use
	switch f.Permission {
	case "read-only":
		use = Use{Read: true}
	case "read-write":
		use = Use{Read: true, Write: true}
	case "read-write-stage-only":
		return nil, requestError("asks for read-write-stage-only, and this registry stages nothing: use --packages-and-scopes-permission=read-write")
	case "":
		return nil, requestError("does not say what the token may do: give --packages-and-scopes-permission=read-only or read-write, and --packages-all, --packages=NAME or --scopes=@OWNER")
	case "no-access":
		return nil, requestError("asks for a token that may do nothing: use --packages-and-scopes-permission=read-only or read-write")
	default:
		return nil, requestError("asks for the permission %.60q: use --packages-and-scopes-permission=read-only or read-write", f.Permission)
	}
	var values []string
	if f.PackagesAll {
		values = append(values, "*")
	}
	for _, name := range f.Packages {
		if name == "*" {
			return nil, requestError("names the package *: use --packages-all for all of them")
		}
		values = append(values, name)
	}
	for _, scope := range f.Scopes {
		if !strings.HasPrefix(scope, "@") || strings.Contains(scope, "/") {
			return nil, requestError("names the scope %.60q, which has to be like @acme (--scopes)", scope)
		}
		values = append(values, scope+"/*")
	}
	if len(values) == 0 {
		return nil, requestError("does not say for which packages the token is: give --packages-all, --packages=NAME or --scopes=@OWNER")
	}
	rights := packages(use, values...)
	return rights, rights.Check()
}

// served returns an error if rights name packages that no registry of these names has.
func (r Rights) served(names Namespaces) error {
	for _, right := range r {
		if right.Types.Pkg.Permission() == None {
			continue
		}
		for _, v := range right.Values {
			namespace, _, scoped := strings.Cut(v, "/")
			switch {
			case v == "*":
			case !scoped && !names.Global:
				return scopeError("names the package %s, and this registry has none without a namespace", v)
			case scoped && !names.Serves(namespace[1:]):
				return scopeError("names %s, and this registry does not serve %s", v, namespace)
			}
		}
	}
	return nil
}
