package config

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/knadh/koanf/maps"
)

// setting is a value as it was written, and where. Its fields are exported because koanf copies what it
// hands out by reflection.
type setting struct {
	Text   string   // the text; "" if it was a YAML list
	Items  []string // the items of a YAML list or of a repeated flag; nil otherwise
	Where  string   // "default", "FILE:LINE", a variable or a flag
	Hidden bool     // the text came from a file named by a variable and is not repeated in errors
}

// quote is the value for use in an error sentence.
func (s setting) quote(text string) string {
	if s.Hidden {
		return "the value in that file"
	}
	if r := []rune(text); len(r) > 60 {
		text = string(r[:60]) + "…"
	}
	return fmt.Sprintf("%q", text)
}

// must is the sentence for a value that isn't what its key wants.
func (s setting) must(be, text string) error {
	if strings.TrimSpace(text) == "" && !s.Hidden {
		return errors.New("must be " + be + ", not empty")
	}
	return errors.New("must be " + be + ", not " + s.quote(text))
}

// scalar is the text of a setting that has to be a single value.
func (s setting) scalar() (string, error) {
	if s.Items != nil {
		return "", errors.New("must be a single value, not a list")
	}
	text := strings.TrimSpace(s.Text)
	if strings.ContainsFunc(text, unicode.IsControl) {
		return "", errors.New("must not contain line breaks or control characters")
	}
	return text, nil
}

// list is the items of a setting; a text is split at its commas.
func (s setting) list() ([]string, error) {
	parts := s.Items
	if parts == nil {
		parts = []string{s.Text}
	}
	var items []string
	for _, part := range parts {
		for item := range strings.SplitSeq(part, ",") {
			item = strings.TrimSpace(item)
			if strings.ContainsFunc(item, unicode.IsControl) {
				return nil, errors.New("must not contain line breaks or control characters")
			}
			if item != "" {
				items = append(items, item)
			}
		}
	}
	return items, nil
}

// layer is what one source says, by key name in lower case. It is a koanf.Provider.
type layer map[string]setting

// Read returns the layer as the nested map that koanf merges.
func (l layer) Read() (map[string]any, error) {
	flat := make(map[string]any, len(l))
	for name, s := range l {
		flat[name] = s
	}
	return maps.Unflatten(flat, "."), nil
}

// ReadBytes is the half of koanf.Provider that needs a parser; layers are parsed already.
func (l layer) ReadBytes() ([]byte, error) {
	return nil, errors.New("config: a layer has no bytes")
}
