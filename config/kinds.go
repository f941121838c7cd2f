package config

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// kind is how the values of a key are read and shown, and the field of Config that they fill.
type kind struct {
	word     string // what flags and documentation call the kind
	repeats  bool   // a list
	pairs    bool   // its items are KEY=VALUE, and a section in a file
	switches bool   // a flag without a value means true
	secret   bool
	isPath   bool // relative to the working directory
	set      func(*Config, setting) error
	show     func(*Config) string
	field    func(*Config) any // the pointer to the field, for the test that every field has one key
	// each makes the kind of one namespace's key, for a key whose name has forEach in it; the other fields are not set then.
	each func(namespace string) kind
}

// scalarKind is the common shape: one text, parsed into one field. A parse error is a sentence without its
// subject: "must be …".
func scalarKind[T any](word string, field func(*Config) *T, parse func(s setting, text string) (T, error), show func(T) string) kind {
	return kind{
		word: word,
		set: func(c *Config, s setting) error {
			text, err := s.scalar()
			if err != nil {
				return err
			}
			v, err := parse(s, text)
			if err != nil {
				return err
			}
			*field(c) = v
			return nil
		},
		show:  func(c *Config) string { return show(*field(c)) },
		field: func(c *Config) any { return field(c) },
	}
}

// listKind is a list whose items are parsed one by one.
func listKind[T any](word string, field func(*Config) *[]T, parse func(s setting, item string) (T, error), show func(T) string) kind {
	return kind{
		word:    word,
		repeats: true,
		set: func(c *Config, s setting) error {
			items, err := s.list()
			if err != nil {
				return err
			}
			var list []T
			seen := map[string]bool{}
			for _, item := range items {
				v, err := parse(s, item)
				if err != nil {
					return err
				}
				if folded := strings.ToLower(show(v)); !seen[folded] {
					seen[folded] = true
					list = append(list, v)
				}
			}
			*field(c) = list
			return nil
		},
		show: func(c *Config) string {
			var words []string
			for _, v := range *field(c) {
				words = append(words, show(v))
			}
			return strings.Join(words, ",")
		},
		field: func(c *Config) any { return field(c) },
	}
}

func same[T ~string](v T) string { return string(v) }

func integer(field func(*Config) *int, least, most int) kind {
	return scalarKind("int", field, func(s setting, text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return 0, s.must(fmt.Sprintf("a whole number from %d to %d", least, most), text)
		}
		return n, nil
	}, strconv.Itoa)
}

func toggle(field func(*Config) *bool) kind {
	k := scalarKind("bool", field, func(s setting, text string) (bool, error) {
		switch strings.ToLower(text) {
		case "true", "yes", "on", "1":
			return true, nil
		case "false", "no", "off", "0":
			return false, nil
		}
		return false, s.must("true or false", text)
	}, strconv.FormatBool)
	k.switches = true
	return k
}

func duration(field func(*Config) *time.Duration, least, most time.Duration) kind {
	return scalarKind("duration", field, func(s setting, text string) (time.Duration, error) {
		d, err := time.ParseDuration(text)
		if err != nil {
			return 0, s.must("a length of time such as 30s, 5m or 2h", text)
		}
		if d < least || d > most {
			return 0, s.must("from "+shortest(least)+" to "+shortest(most), text)
		}
		return d, nil
	}, shortest)
}

// shortest writes a length of time as people do: 15m, and not 15m0s.
func shortest(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// seconds is a length of time in whole seconds, which may be written as their bare number.
func seconds(field func(*Config) *time.Duration, least, most time.Duration) kind {
	return scalarKind("duration", field, func(s setting, text string) (time.Duration, error) {
		d, err := time.ParseDuration(text)
		if n, nerr := strconv.ParseUint(text, 10, 31); nerr == nil {
			d, err = time.Duration(n)*time.Second, nil
		}
		if err != nil || d%time.Second != 0 {
			return 0, s.must("a number of seconds such as 60, or a length of time such as 5m", text)
		}
		if d < least || d > most {
			return 0, s.must(fmt.Sprintf("from %v to %v", least, most), text)
		}
		return d, nil
	}, func(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) + "s" })
}

// word is a text without spaces that may be empty, and must match form, if there is one.
func word(field func(*Config) *string, form *regexp.Regexp, be string) kind {
	return scalarKind("text", field, func(s setting, text string) (string, error) {
		if strings.Contains(text, " ") && form == nil {
			return "", errors.New("must not contain spaces")
		}
		if text != "" && form != nil && !form.MatchString(text) {
			return "", s.must(be, text)
		}
		return text, nil
	}, same[string])
}

var (
	regionName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
	// Servers other than Amazon's, and Amazon's oldest buckets, have capitals and underscores.
	bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$`)
	appNumber  = regexp.MustCompile(`^[1-9][0-9]{0,17}$`)
	clientID   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
	// prefixSegment is what a part of an object's name may consist of.
	prefixSegment = regexp.MustCompile(`^[A-Za-z0-9._@+-]{1,255}$`)
)

// prefix is what names of objects begin with: segments with slashes between them.
func prefix(field func(*Config) *string) kind {
	return scalarKind("text", field, func(s setting, text string) (string, error) {
		text = strings.Trim(text, "/")
		if text == "" {
			return "", nil
		}
		segments := strings.Split(text, "/")
		for _, part := range segments {
			if !prefixSegment.MatchString(part) || part == "." || part == ".." || len(segments) > 8 || len(text) > 255 {
				return "", s.must("up to eight parts of letters, digits and ._@+- with slashes between them, such as npm/prod", text)
			}
		}
		return text, nil
	}, same[string])
}

// oneOf is a word out of a few. The words of notYet are refused as not implemented.
func oneOf[T ~string](field func(*Config) *T, notYet []string, choices ...T) kind {
	words := make([]string, len(choices))
	for i, c := range choices {
		words[i] = string(c)
	}
	return scalarKind(strings.Join(words, "|"), field, func(s setting, text string) (T, error) {
		word, err := choose(s, text, words, notYet)
		return T(word), err
	}, same[T])
}

func choose(s setting, text string, words, notYet []string) (string, error) {
	for _, w := range words {
		if strings.EqualFold(w, text) {
			return w, nil
		}
	}
	for _, w := range notYet {
		if strings.EqualFold(w, text) {
			return "", fmt.Errorf("can't be %s yet: this version doesn't implement it; use %s", w, either(words))
		}
	}
	err := s.must(either(words), text)
	if near := nearest(text, words); near != "" && !s.Hidden {
		err = fmt.Errorf("%w; did you mean %s?", err, near)
	}
	return "", err
}

// either writes a list of words as English does.
func either(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

func level(field func(*Config) *slog.Level) kind {
	words := []string{"debug", "info", "warn", "error"}
	return scalarKind(strings.Join(words, "|"), field, func(s setting, text string) (slog.Level, error) {
		word, err := choose(s, text, words, nil)
		if err != nil {
			return 0, err
		}
		var l slog.Level
		return l, l.UnmarshalText([]byte(word))
	}, func(l slog.Level) string { return strings.ToLower(l.String()) })
}

// path is a folder or file. The folder need not exist: nothing here looks.
func path(field func(*Config) *string) kind { return pathKind(field, false) }

// optionalPath is one that may be empty.
func optionalPath(field func(*Config) *string) kind { return pathKind(field, true) }

func pathKind(field func(*Config) *string, optional bool) kind {
	k := scalarKind("path", field, func(s setting, text string) (string, error) {
		switch {
		case text == "" && optional:
			return "", nil
		case text == "":
			return "", s.must("a path", text)
		case text == "~" || strings.HasPrefix(text, "~/"):
			return "", errors.New(`must be a path without "~", which only a shell understands; write the folder out`)
		case filepath.Clean(text) == string(filepath.Separator):
			return "", errors.New("must be a folder of its own, not the root of the file system")
		}
		return text, nil
	}, same[string])
	k.isPath = true
	return k
}

// secret is a text that is never shown. It is taken as it is, line breaks and all.
func secret(field func(*Config) *Secret) kind {
	return kind{
		word:   "secret",
		secret: true,
		set: func(c *Config, s setting) error {
			if s.Items != nil {
				return errors.New("must be a single value, not a list")
			}
			*field(c) = NewSecret(s.Text)
			return nil
		},
		show:  func(c *Config) string { return field(c).String() },
		field: func(c *Config) any { return field(c) },
	}
}
