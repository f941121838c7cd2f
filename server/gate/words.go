package gate

import (
	"fmt"
	"strconv"
	"strings"

	"gatehouse/scopes"
)

// Words is the explanation for people: the verdict, what it went by line by line, and what to do. It ends in a line feed.
func (w Why) Words() string {
	var b strings.Builder
	verdict := "NO"
	if w.Allowed {
		verdict = "YES"
	}
	fmt.Fprintf(&b, "%s %s: %s (%s)\n\n", w.Action, w.Package, verdict, w.Reason)
	b.WriteString(w.Caller.lines())
	if w.Binding != nil {
		line(&b, "repository", "%s, number %d%s", w.Binding.Repository, w.Binding.ID, w.Binding.state())
	}
	if a := w.Access; a != nil {
		role := a.Role + ", which is what " + w.Caller.name() + " may do there"
		if w.Caller.Kind == "app" {
			role = "none that limits it: it is no person's token"
		}
		line(&b, "role", "%s", role)
		reach := a.Reach
		switch {
		case a.Reach == "unknown":
		case a.Reach == w.Needs && a.Reach != "admin":
			reach += " at least, which is what this token may do there"
		default:
			reach += ", which is what this token may do there"
		}
		if a.Why != "" {
			reach += ": " + a.Why
		}
		line(&b, "reach", "%s", reach)
	}
	if w.Grant != "" {
		line(&b, "scope", "%s, which is what this token leaves of that for this package", w.Grant)
	}
	if w.Binding != nil {
		line(&b, "it takes", "%s", w.Needs)
	}
	fmt.Fprintf(&b, "\n%s\n", ended(w.Sentence))
	if w.Note != "" {
		fmt.Fprintf(&b, "%s\n", w.Note)
	}
	return b.String()
}

// ended is a sentence with its full stop, which would be taken for a part of an address before it.
func ended(sentence string) string {
	if last := sentence[strings.LastIndexByte(sentence, ' ')+1:]; strings.Contains(last, "://") {
		return sentence
	}
	return strings.TrimSuffix(sentence, ".") + "."
}

func line(b *strings.Builder, key, format string, args ...any) {
	fmt.Fprintf(b, "  %-12s%s\n", key, fmt.Sprintf(format, args...))
}

func (h Holder) name() string {
	if h.Login == "" {
		return "this caller"
	}
	return h.Login
}

// Words says who calls, line by line, for somebody who may be told no more.
func (h Holder) Words() string { return h.lines() }

func (h Holder) lines() string {
	var b strings.Builder
	switch h.Kind {
	case "nobody":
		line(&b, "caller", "nobody: no token was sent")
	case "anyone":
		line(&b, "caller", "anyone: this registry does not ask who is calling")
	default:
		line(&b, "caller", "%s, GitHub account %d", h.name(), h.Account)
	}
	credential := h.Credential
	if h.Fingerprint != "" {
		if credential == "" {
			credential = "token"
		}
		credential += " with the fingerprint " + h.Fingerprint
	}
	if credential != "" {
		line(&b, "credential", "%s", credential)
	}
	if h.Token != nil {
		h.Token.lines(&b)
	}
	if h.Standing != "" {
		line(&b, "", "%s", h.Standing)
	}
	return b.String()
}

// lines say which token it is and what it was minted for: its scope, a value a line up to ten.
func (m Minted) lines(b *strings.Builder) {
	named := m.ID
	if m.Name != "" {
		named += ", " + strconv.Quote(m.Name)
	}
	if !m.Until.IsZero() {
		named += ", until " + m.Until.UTC().Format("2006-01-02 15:04 MST")
	}
	if len(m.From) > 0 {
		var networks []string
		for _, n := range m.From {
			networks = append(networks, n.String())
		}
		named += ", from " + few(networks) + " only"
	}
	line(b, "token", "%s", named)
	for i, right := range m.Scope {
		key := ""
		if i == 0 {
			key = "minted for"
		}
		if i == mostLines {
			line(b, key, "… and %d more", len(m.Scope)-i)
			break
		}
		var may []string
		if p := right.Types.Pkg.Permission(); p > scopes.None {
			may = append(may, p.String()+" to packages")
		}
		if p := right.Types.User.Permission(); p > scopes.None {
			may = append(may, p.String()+" to users")
		}
		line(b, key, "%s: %s", few(right.Values), strings.Join(may, ", "))
	}
}

const mostLines = 10

// few is the beginning of a list.
func few(list []string) string {
	if len(list) > mostLines {
		return strings.Join(list[:mostLines], ", ") + " …"
	}
	return strings.Join(list, ", ")
}

// state is the rest of a sentence about a repository.
func (b Bound) state() string {
	var s string
	switch b.State {
	case "renamed":
		s = ", renamed since the package was bound to it as " + b.BoundAs
	case "archived":
		s = ", archived"
	case "transferred":
		s = ", transferred since the package was bound to it as " + b.BoundAs
	}
	if b.Public {
		s += ", public"
	}
	return s
}
