package githubtest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/scanner"
)

// selection is a field, or an inline fragment or spread (then on or spread is set) in a selection set.
type selection struct {
	alias, name string
	args        map[string]any
	on          string // type condition of an inline fragment
	spread      string // name of a fragment
	inside      []selection
	line, col   int
}

// key is the field's name in the answer.
func (s selection) key() string {
	if s.alias != "" {
		return s.alias
	}
	return s.name
}

// query is a parsed request: the first operation and all fragments.
type query struct {
	mutation  bool
	inside    []selection
	fragments map[string]selection
}

// parser reads the part of GraphQL's grammar that clients of this API use: operations with variables,
// aliases, arguments, fragments. It reads directives and variable types without regard to them.
type parser struct {
	scan      scanner.Scanner
	tok       rune
	variables map[string]any
}

type syntaxError struct{ error }

// parse returns the query. Variables are filled in.
func parse(text string, variables map[string]any) (q query, err error) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case syntaxError:
			err = e.error
		default:
			panic(e)
		}
	}()
	p := &parser{variables: variables}
	p.scan.Init(strings.NewReader(text))
	p.scan.Error = func(_ *scanner.Scanner, message string) { panic(syntaxError{errors.New(message)}) }
	p.scan.Mode = scanner.ScanIdents | scanner.ScanInts | scanner.ScanFloats | scanner.ScanStrings
	p.next()
	q.fragments = map[string]selection{}
	for p.tok != scanner.EOF {
		p.definition(&q)
	}
	if q.inside == nil {
		return q, githubSays(noQuery)
	}
	return q, nil
}

// githubSays is an error in GitHub's own words, which begin and end like sentences.
type githubSays string

func (e githubSays) Error() string { return string(e) }

const (
	noQuery    = "A query attribute must be specified and must be a string."
	parseError = "Parse error on %q at [%d, %d]"
)

func (p *parser) next() {
	p.tok = p.scan.Scan()
	for p.tok == '#' || p.tok == ',' { // commas are white space, comments go to the end of the line
		for c := p.tok; c != ',' && c != '\n' && c != scanner.EOF; {
			c = p.scan.Next()
		}
		p.tok = p.scan.Scan()
	}
}

func (p *parser) fail() {
	panic(syntaxError{githubSays(fmt.Sprintf(parseError, p.scan.TokenText(), p.scan.Position.Line, p.scan.Position.Column))})
}

func (p *parser) accept(tok rune) bool {
	if p.tok != tok {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(tok rune) {
	if !p.accept(tok) {
		p.fail()
	}
}

func (p *parser) word() string {
	if p.tok != scanner.Ident {
		p.fail()
	}
	text := p.scan.TokenText()
	p.next()
	return text
}

func (p *parser) definition(q *query) {
	if p.tok == '{' {
		q.inside = p.set()
		return
	}
	switch kind := p.word(); kind {
	case "fragment":
		name := p.word()
		p.word() // on
		f := selection{on: p.word()}
		p.directives()
		f.inside = p.set()
		q.fragments[name] = f
	case "query", "mutation":
		q.mutation = kind == "mutation"
		if p.tok == scanner.Ident {
			p.word()
		}
		if p.accept('(') {
			p.declarations()
		}
		p.directives()
		q.inside = p.set()
	default:
		p.fail()
	}
}

// declarations reads ($a: [ID!]! = default …), keeping the defaults.
func (p *parser) declarations() {
	for !p.accept(')') {
		p.expect('$')
		name := p.word()
		p.expect(':')
		for p.tok == '[' || p.tok == ']' || p.tok == '!' || p.tok == scanner.Ident {
			p.next()
		}
		if p.accept('=') {
			value := p.value()
			if _, given := p.variables[name]; !given {
				if p.variables == nil {
					p.variables = map[string]any{}
				}
				p.variables[name] = value
			}
		}
	}
}

func (p *parser) directives() {
	for p.accept('@') {
		p.word()
		if p.accept('(') {
			p.arguments()
		}
	}
}

func (p *parser) set() []selection {
	p.expect('{')
	all := []selection{}
	for !p.accept('}') {
		all = append(all, p.selection())
	}
	return all
}

func (p *parser) selection() selection {
	s := selection{line: p.scan.Position.Line, col: p.scan.Position.Column}
	if p.accept('.') {
		p.expect('.')
		p.expect('.')
		if p.tok == scanner.Ident {
			if name := p.word(); name != "on" {
				s.spread = name
				p.directives()
				return s
			}
			s.on = p.word()
		}
		p.directives()
		s.inside = p.set()
		return s
	}
	s.name = p.word()
	if p.accept(':') {
		s.alias, s.name = s.name, p.word()
	}
	if p.accept('(') {
		s.args = p.arguments()
	}
	p.directives()
	if p.tok == '{' {
		s.inside = p.set()
	}
	return s
}

func (p *parser) arguments() map[string]any {
	args := map[string]any{}
	for !p.accept(')') {
		name := p.word()
		p.expect(':')
		args[name] = p.value()
	}
	return args
}

func (p *parser) value() any {
	text := p.scan.TokenText()
	switch p.tok {
	case '$':
		p.next()
		return p.variables[p.word()]
	case '[':
		p.next()
		list := []any{}
		for !p.accept(']') {
			list = append(list, p.value())
		}
		return list
	case '{':
		p.next()
		object := map[string]any{}
		for !p.accept('}') {
			name := p.word()
			p.expect(':')
			object[name] = p.value()
		}
		return object
	case scanner.String:
		p.next()
		s, err := strconv.Unquote(text)
		if err != nil {
			panic(syntaxError{err})
		}
		return s
	case scanner.Int, scanner.Float:
		p.next()
		f, _ := strconv.ParseFloat(text, 64)
		return f
	case scanner.Ident:
		p.next()
		switch text {
		case "true", "false":
			return text == "true"
		case "null":
			return nil
		}
		return text
	}
	p.fail()
	return nil
}
