package packument

import (
	"io"
	"unicode/utf8"
)

// string reads a string whose opening quote is taken.
func (s *scanner) string() error {
	s.kept = append(s.kept, '"')
	start := len(s.kept)
	for {
		p, err := s.src.ahead()
		if err != nil {
			return s.cut(err)
		}
		n := plain(p)
		if err := s.count(n); err != nil {
			return err
		}
		s.kept = append(s.kept, p[:n]...)
		s.src.take(n)
		if n == len(p) {
			continue
		}
		switch c, err := s.next(); {
		case err != nil:
			return err
		case c == '"':
			if !s.lenient && !utf8.Valid(s.kept[start:]) {
				return s.invalid("has a string that is not UTF-8")
			}
			s.kept = append(s.kept, '"')
			return nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return err
			}
		default:
			return s.invalid("is not JSON: a string has a control character that is not escaped")
		}
	}
}

// plain is the number of bytes before the first quote, backslash or control character.
func plain(p []byte) int {
	for i, c := range p {
		if c == '"' || c == '\\' || c < ' ' {
			return i
		}
	}
	return len(p)
}

// escape reads an escape whose backslash is taken, and the second half of a surrogate pair with the first.
func (s *scanner) escape() error {
	unit, err := s.unit()
	if err != nil || s.lenient || unit < 0xD800 || unit > 0xDFFF {
		return err
	}
	half := s.invalid("has a string with half of a surrogate pair")
	if unit >= 0xDC00 {
		return half
	}
	if c, err := s.next(); err != nil {
		return s.cut(err)
	} else if c != '\\' {
		return half
	}
	if unit, err = s.unit(); err != nil {
		return err
	}
	if unit < 0xDC00 || unit > 0xDFFF {
		return half
	}
	return nil
}

// unit reads what follows a backslash, keeps both and returns the UTF-16 code unit they stand for.
func (s *scanner) unit() (rune, error) {
	unit, raw, err := s.src.escape()
	if err == errEscape {
		return 0, s.invalid("is not JSON: a string has an escape that is none")
	}
	if err != nil {
		return 0, s.cut(err)
	}
	s.kept = append(append(s.kept, '\\'), raw...)
	return unit, s.count(len(raw))
}

func (s *scanner) literal(want string) error {
	for i := 1; i < len(want); i++ {
		c, err := s.next()
		if err != nil {
			return s.cut(err)
		}
		if c != want[i] {
			return s.invalid("is not JSON: a word that is not %s", want)
		}
	}
	s.kept = append(s.kept, want...)
	return nil
}

// number reads a number whose first byte is taken, by the grammar of RFC 8259: no "+1", "01", ".5" or "1.".
func (s *scanner) number(c byte) error {
	s.kept = append(s.kept, c)
	if c == '-' {
		var err error
		if c, err = s.next(); err != nil {
			return s.cut(err)
		}
		if c < '0' || '9' < c {
			return s.invalid("is not JSON: a number that is none")
		}
		s.kept = append(s.kept, c)
	}
	if c != '0' {
		if _, err := s.digits(); err != nil {
			return err
		}
	}
	if found, err := s.either(".", "."); err != nil {
		return err
	} else if found {
		if n, err := s.digits(); err != nil {
			return err
		} else if n == 0 {
			return s.invalid("is not JSON: a number that ends in a dot")
		}
	}
	if found, err := s.either("e", "E"); err != nil || !found {
		return err
	}
	if _, err := s.either("+", "-"); err != nil {
		return err
	}
	if n, err := s.digits(); err != nil {
		return err
	} else if n == 0 {
		return s.invalid("is not JSON: a number without an exponent")
	}
	return nil
}

// digits keeps the digits ahead, which may be none and may go to the end of the source, and returns how many there were.
func (s *scanner) digits() (n int, err error) {
	for {
		p, err := s.src.ahead()
		if err == io.EOF || err == nil && (p[0] < '0' || '9' < p[0]) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		s.kept = append(s.kept, p[0])
		s.src.take(1)
		if err := s.count(1); err != nil {
			return n, err
		}
		n++
	}
}

// either keeps the byte ahead if it is one of two.
func (s *scanner) either(a, b string) (bool, error) {
	p, err := s.src.ahead()
	if err == io.EOF || err == nil && p[0] != a[0] && p[0] != b[0] {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s.kept = append(s.kept, p[0])
	s.src.take(1)
	return true, s.count(1)
}
