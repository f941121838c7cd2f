package packument

import (
	"bytes"
	"encoding/base64"
)

// base64Reader decodes a JSON string of base64 as it comes from a source, after its opening quote: standard alphabet,
// padded, nothing else in between. JSON allows escapes in it ("\/" is what some serializers make of a slash), so they
// are understood.
type base64Reader struct {
	src   *source
	field string             // for errors
	to    func([]byte) error // gets what was decoded; it does not keep the slice

	out   []byte
	carry []byte // up to three characters of a group not complete
	ended bool   // padding was seen
}

// strictBase64 refuses what a lax decoder would read in silence: bits after the end of the last group.
var strictBase64 = base64.StdEncoding.Strict()

// read decodes to the end of the string. It returns io.EOF if the source ends before.
func (b *base64Reader) read() error {
	b.out = make([]byte, strictBase64.DecodedLen(bufferSize))
	b.carry = make([]byte, 0, 4)
	for {
		p, err := b.src.ahead()
		if err != nil {
			return err
		}
		// What ends a run is rare, so it is looked for with the two searches the machine does best.
		end := bytes.IndexByte(p, '"')
		run := p
		if end >= 0 {
			run = p[:end]
		}
		if i := bytes.IndexByte(run, '\\'); i >= 0 {
			end, run = i, run[:i]
		}
		if err := b.decode(run); err != nil {
			return err
		}
		if end < 0 {
			b.src.take(len(p))
			continue
		}
		ending := p[end]
		b.src.take(end + 1)
		if ending == '"' {
			if len(b.carry) > 0 {
				return b.invalid()
			}
			return nil
		}
		unit, _, err := b.src.escape()
		if err == errEscape || err == nil && unit > 0x7f {
			return b.invalid()
		}
		if err != nil {
			return err
		}
		if err := b.decode([]byte{byte(unit)}); err != nil {
			return err
		}
	}
}

// decode decodes a run of at most bufferSize characters; what is left of its last group waits for the next.
func (b *base64Reader) decode(run []byte) error {
	// encoding/base64 passes over these two.
	if bytes.IndexByte(run, '\n') >= 0 || bytes.IndexByte(run, '\r') >= 0 {
		return b.invalid()
	}
	if len(b.carry) > 0 {
		n := min(4-len(b.carry), len(run))
		b.carry = append(b.carry, run[:n]...)
		run = run[n:]
		if len(b.carry) < 4 {
			return nil
		}
		if err := b.groups(b.carry); err != nil {
			return err
		}
	}
	whole := len(run) &^ 3
	b.carry = append(b.carry[:0], run[whole:]...)
	if whole == 0 {
		return nil
	}
	return b.groups(run[:whole])
}

func (b *base64Reader) groups(p []byte) error {
	if b.ended {
		return b.invalid()
	}
	n, err := strictBase64.Decode(b.out, p)
	if err != nil {
		return b.invalid()
	}
	b.ended = n < len(p)/4*3
	return b.to(b.out[:n])
}

func (b *base64Reader) invalid() error {
	return &Invalid{Field: b.field, Problem: "is not base64 (standard alphabet, padded)"}
}
