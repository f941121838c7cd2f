package scopes

import (
	"strings"
	"testing"
)

// TestOneMeaning: what could be read in two ways is refused in words, and what is no JSON at all still comes to an end.
func TestOneMeaning(t *testing.T) {
	for document, says := range map[string]string{
		`{"readonly":true}`:                             "",
		`{"scope":[{"values":["A"]},{"values":["B"]}]}`: "",
		`{"a":{"b":1},"c":{"b":1}}`:                     "",
		`{"a":1,"a":2}`:                                 `has "a" twice`,
		`[{"values":[],"types":{"pkg":{}},"types":{}}]`: `has "types" twice`,
		`{"Readonly":false}`:                            "lower case",
		`{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`: "too deeply",
		`[x`: "", `[`: "", `{`: "", `{"a"`: "", `{"a":`: "", `{"a":x`: "", `{1:2}`: "", `]`: "", ``: "", `[1 2]`: "", `{"a":1,,}`: "", `[[[}`: "",
	} {
		err := oneMeaning([]byte(document))
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%.60s: %v", document, err)
		}
	}
}
