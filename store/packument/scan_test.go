package packument

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// scan reads a whole text as the body of a publish is read, and again by the byte: both must come to the same.
func scan(t testing.TB, text string, lenient bool) ([]byte, error) {
	t.Helper()
	s := &scanner{src: newSource(t.Context(), strings.NewReader(text)), field: "body", what: "manifest", limit: 1 << 20, lenient: lenient}
	kept, err := s.document()
	slow := &scanner{src: newSource(t.Context(), iotest.OneByteReader(strings.NewReader(text))), field: "body", what: "manifest", limit: 1 << 20, lenient: lenient}
	again, err2 := slow.document()
	if !bytes.Equal(kept, again) || fmt.Sprint(err) != fmt.Sprint(err2) {
		t.Fatalf("read at once: %q, %v\nby the byte: %q, %v", kept, err, again, err2)
	}
	return kept, err
}

func TestScan(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, c := range []struct {
		in, kept string // kept is empty for what is refused
	}{
		{`{}`, `{}`},
		{" \t\r\n{ \"a\" : [ 1 , -0.5e+3 , true , false , null , \"x\" ] } \n", `{"a":[1,-0.5e+3,true,false,null,"x"]}`},
		{`"a \" \\ \/ \b\f\n\r\t \u00e9 \ud83d\ude00 é 😀"`, `"a \" \\ \/ \b\f\n\r\t \u00e9 \ud83d\ude00 é 😀"`},
		{`{"a":{"b":1},"b":{"b":1}}`, `{"a":{"b":1},"b":{"b":1}}`},
		{`{"Name":1,"name":2}`, `{"Name":1,"name":2}`}, // refused where it matters, by object
		{`{"":1}`, `{"":1}`},
		{`0`, `0`}, {`-0`, `-0`}, {`10.25E-7`, `10.25E-7`}, {`[]`, `[]`}, {`[{}]`, `[{}]`},
		{`"\u0000"`, `"\u0000"`},
		{deep(64), deep(64)},

		{deep(65), ``},
		{strings.Repeat(`{"a":`, 65) + `1` + strings.Repeat(`}`, 65), ``},
		{`{"a":1,"a":1}`, ``},
		{`{"a":1,"b":2,"\u0061":3}`, ``},
		{`{"b":{"a":1,"a":2}}`, ``},
		{`{"/":1,"\/":2}`, ``},
		{`{"__proto__":1}`, ``},
		{`{"a":[{"__prot\u006f__":{}}]}`, ``},
		{"\"\xff\"", ``},
		{"{\"\xc3\":1}", ``},
		{"\"\xed\xa0\x80\"", ``}, // a surrogate in UTF-8
		{`"\ud83d"`, ``}, {`"\ude00"`, ``}, {`"\ud83dx"`, ``}, {`"\ud83d\u0041"`, ``}, {`"\ud83d\ud83d"`, ``}, {`"\ud83d\n"`, ``}, {`"\ud83d\`, ``},
		{"\"a\nb\"", ``}, {"\"a\x00b\"", ``}, {"\"a\tb\"", ``},
		{`"\x41"`, ``}, {`"\u00g0"`, ``}, {`"\u+123"`, ``}, {`"\u12"`, ``}, {`"\'"`, ``}, {`"\`, ``},
		{``, ``}, {` `, ``}, {`{`, ``}, {`{"a"`, ``}, {`{"a":`, ``}, {`{"a":1`, ``}, {`{"a":1,`, ``}, {`{"a":1,}`, ``}, {`{,}`, ``}, {`{a:1}`, ``}, {`{"a"1}`, ``}, {`{"a":1 "b":2}`, ``},
		{`[`, ``}, {`[1`, ``}, {`[1,`, ``}, {`[1,]`, ``}, {`[,1]`, ``}, {`[1 2]`, ``}, {`[1}`, ``}, {`{]`, ``},
		{`01`, ``}, {`+1`, ``}, {`.5`, ``}, {`1.`, ``}, {`1e`, ``}, {`1e+`, ``}, {`-`, ``}, {`-a`, ``}, {`--1`, ``}, {`1.e1`, ``}, {`0x1`, ``}, {`NaN`, ``}, {`1_0`, ``},
		{`tru`, ``}, {`trux`, ``}, {`nul`, ``}, {`False`, ``}, {`'a'`, ``},
		{`{} {}`, ``}, {`{}x`, ``}, {`{}` + "\x00", ``}, {"\ufeff{}", ``}, {`// c` + "\n{}", ``}, {`"abc`, ``},
	} {
		kept, err := scan(t, c.in, false)
		if err == nil != (c.kept != "") || err == nil && string(kept) != c.kept {
			t.Errorf("scan(%q) = %q, %v; want %q", c.in, kept, err, c.kept)
		}
		var invalid *Invalid
		if err != nil && !errors.As(err, &invalid) {
			t.Errorf("scan(%q): %T", c.in, err)
		}
	}
}

func TestScanOfAFileSomebodyWrote(t *testing.T) {
	for in, want := range map[string]bool{
		`{"scripts":{"a":"1","a":"2"}}`: true, // JSON.parse takes the last, and nothing is decided by it
		`{"keywords":1,"keywords":2}`:   true,
		"{\"author\":\"J\xf6rg\"}":      true,
		`{"author":"\ud83d"}`:           true,
		`{"name":"a","name":"b"}`:       false,
		`{"name":"a","n\u0061me":"b"}`:  false,
		`{"__proto__":1}`:               false,
		`{"a":1,}`:                      false,
	} {
		if _, err := scan(t, in, true); (err == nil) != want {
			t.Errorf("scan(%q) = %v", in, err)
		}
	}
}

func TestScanCountsSpaces(t *testing.T) {
	s := &scanner{src: newSource(t.Context(), strings.NewReader(strings.Repeat(" ", 200)+"{}")), field: "body", what: "manifest", limit: 100}
	var large *TooLarge
	if _, err := s.document(); !errors.As(err, &large) || large.What != "manifest" || large.Limit != 100 {
		t.Errorf("100 bytes were allowed, 202 came: %v", err)
	}
	for limit, text := range map[int64]string{10: `"12345678"`, 2: `{}`, 9: `{"a":123}`, 8: `"\u0041"`, 5: `false`} {
		for _, room := range []int64{0, -1} {
			s := &scanner{src: newSource(t.Context(), strings.NewReader(text)), limit: limit + room}
			if _, err := s.document(); errors.As(err, &large) != (room < 0) || room == 0 && err != nil {
				t.Errorf("%s within %d bytes: %v", text, limit+room, err)
			}
		}
	}
}

// A hostile document must not cost more than its size: a map once large is not to be cleared for each small object after it.
func TestScanManyKeysThenManyObjects(t *testing.T) {
	var b strings.Builder
	b.WriteString(`[{`)
	for i := range 20000 {
		fmt.Fprintf(&b, `"%d":0,`, i)
	}
	b.WriteString(`"x":0}` + strings.Repeat(`,{"a":0}`, 60000) + `]`)
	s := &scanner{src: newSource(t.Context(), strings.NewReader(b.String())), limit: 1 << 20}
	if _, err := s.document(); err != nil {
		t.Fatal(err)
	}
	if n := len(s.keys[1].hashes); n != 0 || s.open != 0 {
		t.Errorf("%d keys are left, and %d counted as open", n, s.open)
	}
}

func TestValues(t *testing.T) {
	kept, err := scan(t, ` { "a" : "x\n\"}" , "b" : { "c" : [ 1 , "]" , { } ] , "d" : -1.5e3 } , "e" : null , "" : true , "f" : [ ] } `, false)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for m := range value(kept).members() {
		got = append(got, m.key+"="+string(m.val))
	}
	want := []string{`a="x\n\"}"`, `b={"c":[1,"]",{}],"d":-1.5e3}`, `e=null`, `=true`, `f=[]`}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("members are %q, want %q", got, want)
	}
	if s := value(`"x\n\"\u00e9"`).text(); s != "x\n\"é" {
		t.Errorf("text = %q", s)
	}
	for _, v := range []value{nil, value(`1`), value(`[]`), value(`{}`), value(`"a"`)} {
		for m := range v.members() {
			t.Errorf("%s has the member %v", v, m)
		}
	}
}

func TestCaseThatMatters(t *testing.T) {
	for text, want := range map[string]bool{
		`{"name":1,"other":2}`:            true,
		`{"Name":1}`:                      true, // alone it is just a key nobody reads
		`{"jsonstream":1,"JSONStream":2}`: true, // two packages
		`{"name":1,"Name":2}`:             false,
		`{"NAME":1,"a":2,"name":2}`:       false,
		`{"ver\u017fion":1,"version":2}`:  false, // encoding/json would take the long s for an s
		`{"_ID":1,"_id":2}`:               false,
	} {
		kept, err := scan(t, text, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := value(kept).object("x"); (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzScan holds the scanner against encoding/json: what it takes is JSON and means the same without its spaces, and
// what it refuses is no JSON or breaks one of the rules that are ours.
func FuzzScan(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,2.5e-3,true,null,"x\n\u00e9\ud83d\ude00"],"b":{}}`, `{"a":1,"a":2}`, `"\ud800"`, `[[[[]]]]`, ` 1 `, `{"__proto__":1}`, "\"\xff\"", `{"a":{"b":{"c":"d"}}}`, `-0.0E+1`, `{} 1`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		kept, err := scan(t, text, false)
		if err != nil {
			if json.Valid([]byte(text)) && utf8.ValidString(text) && !ours(err) {
				t.Fatalf("%q was refused: %v", text, err)
			}
			return
		}
		if !json.Valid([]byte(text)) || !utf8.ValidString(text) {
			t.Fatalf("%q was taken", text)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(text)); err != nil || !bytes.Equal(compact.Bytes(), kept) {
			t.Fatalf("%q became %q, want %q", text, kept, compact.Bytes())
		}
		if value(kept).length() != len(kept) {
			t.Fatalf("%q has length %d", kept, value(kept).length())
		}
		if value(kept).isObject() {
			var want map[string]json.RawMessage
			if err := json.Unmarshal(kept, &want); err != nil {
				t.Fatal(err)
			}
			n := 0
			for m := range value(kept).members() {
				if n++; !bytes.Equal(want[m.key], m.val) {
					t.Fatalf("%q: member %q is %q, want %q", kept, m.key, m.val, want[m.key])
				}
			}
			if n != len(want) {
				t.Fatalf("%q has %d members, want %d", kept, n, len(want))
			}
		}
	})
}

func ours(err error) bool {
	var large *TooLarge
	for _, rule := range []string{"twice", "__proto__", "surrogate", "deep"} {
		if strings.Contains(err.Error(), rule) {
			return true
		}
	}
	return errors.As(err, &large)
}
