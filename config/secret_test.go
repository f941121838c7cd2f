package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const hunter = "hunter2-äö"

func TestSecretNeverPrints(t *testing.T) {
	t.Parallel()
	s := NewSecret(hunter)
	type open struct{ S Secret }
	type closed struct{ s Secret }
	values := []any{s, &s, open{s}, &open{s}, closed{s}, &closed{s}, []Secret{s}, map[string]Secret{"a": s}, map[Secret]int{s: 1}, struct{ in closed }{closed{s}}}
	var printed []string
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%20v", "%T"} {
			printed = append(printed, fmt.Sprintf(verb, v))
		}
		if b, err := json.Marshal(v); err == nil {
			printed = append(printed, string(b))
		}
		if b, err := yaml.Marshal(v); err == nil {
			printed = append(printed, string(b))
		}
		var text, js bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&js, nil)).Info("m", "v", v)
		printed = append(printed, text.String(), js.String())
	}
	for _, p := range printed {
		for _, form := range []string{hunter, "hunter", fmt.Sprintf("%x", hunter), fmt.Sprintf("%X", hunter), fmt.Sprint([]byte(hunter))} {
			if strings.Contains(p, form) {
				t.Errorf("the secret is in %q", p)
			}
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(verb, s); got != "[redacted]" {
			t.Errorf("%s prints %q", verb, got)
		}
		if got := fmt.Sprintf(verb, Secret{}); got != "" {
			t.Errorf("%s prints %q of an empty secret", verb, got)
		}
	}
	if b, err := json.Marshal(open{s}); err != nil || string(b) != `{"S":"[redacted]"}` {
		t.Errorf("%s, %v", b, err)
	}
	if b, err := json.Marshal(open{}); err != nil || string(b) != `{"S":""}` {
		t.Errorf("%s, %v", b, err)
	}
	if s.String() != "[redacted]" || s.GoString() != "[redacted]" || s.LogValue().String() != "[redacted]" {
		t.Error("a method prints something else")
	}
	if s.Reveal() != hunter || s.IsZero() || !NewSecret("").IsZero() || (Secret{}).Reveal() != "" {
		t.Error("the secret itself is lost")
	}
}

// A secret key reaches its field from a file, and is nowhere else.
func TestSecretKey(t *testing.T) {
	t.Parallel()
	var s Secret
	var port int
	keys := []key{
		{"storage.s4.secretAccessKey", "", "Test.", secret(func(*Config) *Secret { return &s })},
		{"x.port", "1", "Test.", integer(func(*Config) *int { return &port }, 0, 9)},
	}
	for name, tc := range map[string]struct {
		inFile, want string
		w            world
	}{
		"variable": {"", hunter, world{env: []string{"GATEHOUSE_STORAGE__S4__SECRETACCESSKEY=" + hunter}}},
		"_FILE":    {hunter + "\n", hunter, world{env: []string{"GATEHOUSE_STORAGE__S4__SECRETACCESSKEY_FILE=secret"}}},
		"lines":    {"one\n two \r\n", "one\n two ", world{env: []string{"GATEHOUSE_STORAGE__S4__SECRETACCESSKEY_FILE=secret"}}},
		"YAML":     {"", hunter, world{file: "storage: {s4: {secretaccesskey: " + hunter + "}}"}},
	} {
		o := tc.w.options(t, keys)
		write(t, filepath.Join(o.Dir, "secret"), tc.inFile)
		c, err := load(o, keys)
		if err != nil || s.Reveal() != tc.want {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if e := c.Entries()[0]; e.Value != "[redacted]" || strings.Contains(fmt.Sprintf("%+v %#v", c, c.origin), hunter) {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if parse(t, keys).Lookup("storage.s4.secretaccesskey") != nil {
		t.Error("a secret has a flag")
	}
	o := world{env: []string{"GATEHOUSE_X__PORT_FILE=secret", "GATEHOUSE_STORAGE__S4__SECRETACCESSKEYS=" + hunter}}.options(t, keys)
	write(t, filepath.Join(o.Dir, "secret"), hunter)
	equal(t, problems(t, o, keys), []string{
		"GATEHOUSE_STORAGE__S4__SECRETACCESSKEYS: storage.s4.secretaccesskeys is not a known key; did you mean GATEHOUSE_STORAGE__S4__SECRETACCESSKEY?",
		"GATEHOUSE_X__PORT_FILE: x.port must be a whole number from 0 to 9, not the value in that file",
	})
}
