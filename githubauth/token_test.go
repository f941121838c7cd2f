package githubauth

import (
	"strings"
	"testing"
)

func TestKindOf(t *testing.T) {
	body := "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ"
	for token, want := range map[string]tokenKind{
		"ghp_" + body + "0mLq17":                                  scoped,
		"gho_" + body + "0mLq17":                                  scoped,
		"ghu_" + body + "0mLq17":                                  granular,
		"ghs_" + body + "0mLq17":                                  installed,
		"ghp_" + body + "0mLq18":                                  wrongDigits,
		"ghs_" + body + "0mLq18":                                  wrongDigits,
		"ghp_" + body + "0mLq17x":                                 scoped, // a longer format may come: GitHub's to judge
		"ghs_123456_eyJ" + strings.Repeat("aB3-", 120) + ".x.y-z": installed,
		"ghr_" + body + "0mLq17":                                  neverGiven,
		"ghx_" + body + "0mLq17":                                  notAToken,
		"github_pat_" + strings.Repeat("A", 22) + "_" + strings.Repeat("b", 59): granular,
		"github_pat_":                         notAToken,
		strings.Repeat("0123456789", 4):       scoped,
		strings.Repeat("0123456789", 3):       notAToken,
		"v1." + strings.Repeat("abcde", 8):    installed,
		"eyJhbGciOiJSUzI1NiJ9.eyJpc3MifQ.s_-": neverGiven,
		"":                                    notAToken,
		"ghp_":                                notAToken,
		"ghp_" + body + " 0mLq17":             notAToken,
		"ghp_" + body + "\r\n":                notAToken,
		"ghs_" + strings.Repeat("a", 5000):    notAToken,
		"ghs_" + strings.Repeat("a", 4000):    installed,
		"npm_" + body + "0mLq17":              notAToken,
	} {
		if got := kindOf(token); got != want {
			t.Errorf("%.60q is of kind %d, want %d", token, got, want)
		}
	}
}

func FuzzKindOf(f *testing.F) {
	f.Add("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")
	f.Fuzz(func(t *testing.T, token string) {
		if kindOf(token) != notAToken && strings.ContainsAny(token, " \r\n\x00:@/") {
			t.Errorf("%q can be sent in a header or a URL as it is not meant", token)
		}
	})
}
