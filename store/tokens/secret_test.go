package tokens

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// documented is the expression that docs/tokens.md gives to secret scanners.
var documented = regexp.MustCompile(`\bgth_[0-9A-Za-z]{49}\b`)

func TestSecretForm(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		s := newSecret()
		if !wellFormed(s) || !documented.MatchString("token="+s+";") || seen[s] {
			t.Fatalf("%q", s)
		}
		seen[s] = true
	}
	// The ends of the range have the same width, so that no secret is shorter than the expression takes.
	var most [32]byte
	for i := range most {
		most[i] = 0xff
	}
	for bits, want := range map[[32]byte]string{
		{}:   "gth_" + strings.Repeat("0", 43),
		most: "gth_", // whatever its digits
	} {
		if s := secretOf(bits); len(s) != secretSize || !wellFormed(s) || !strings.HasPrefix(s, want) {
			t.Errorf("%q", s)
		}
	}
	// The vector that GitHub's own format is known by (github.blog, 2021-04-05) in ours: the same checksum of the same digits.
	if got := checksum("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ"); got != "0mLq17" {
		t.Errorf("the checksum is %s", got)
	}
}

// TestMistypedIsFound: every change of one character and every cut is refused without asking anybody.
func TestMistypedIsFound(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	s := newSecret()
	for i := range s {
		for range 5 {
			other := []byte(s)
			if other[i] = digits[r.IntN(len(digits))]; string(other) != s && wellFormed(string(other)) {
				t.Errorf("%q passes for %q", other, s)
			}
		}
		if wellFormed(s[:i]) || wellFormed(s[i:]) && i > 0 {
			t.Errorf("%q, cut at %d, passes", s, i)
		}
	}
	for _, bad := range []string{"", "gth_", s + "0", " " + s, s + "\n", strings.ToUpper(s), "ghp_" + s[4:], strings.Repeat("gth_", 10000), "gth_" + strings.Repeat("\x00", 49), "gth_" + strings.Repeat("é", 24) + "0"} {
		if wellFormed(bad) {
			t.Errorf("%.80q passes", bad)
		}
	}
}

func FuzzWellFormed(f *testing.F) {
	f.Add(newSecret())
	f.Add("gth_" + strings.Repeat("0", 49))
	f.Fuzz(func(t *testing.T, text string) {
		if !wellFormed(text) {
			return
		}
		if !documented.MatchString(text) || len(text) != secretSize {
			t.Fatalf("%q passes and has not the documented form", text)
		}
		if body := text[4 : 4+bodyDigits]; text != "gth_"+body+checksum(body) {
			t.Fatalf("%q passes with a checksum that we do not make", text)
		}
	})
}
