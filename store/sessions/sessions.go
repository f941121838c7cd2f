// Package sessions remembers log-ins while they are under way, so that any process on the same data can serve the next step of one.
//
// It owns the names of a log-in, its one row, and the sealing of what is in it. It refuses to know what that is: package login decides, and bounds how
// many there are.
//
// What is true:
//
//   - A log-in has two names, of 256 bits each. The ticket collects what comes of it, and only whoever began it has it. The page is for a browser, to be
//     shown and passed on; it follows from the ticket, and the ticket does not follow from it. So whoever sees the page's address collects nothing.
//   - Neither name is stored. The row is found by the SHA-256 of the page's, and what is in it is sealed under that name: a copy of the data opens
//     nothing.
//   - Each change is conditional on the row that was read, in whichever process, so each step happens once.
//   - A log-in that is over, has expired or is damaged is not there: all three are ErrNone.
package sessions

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"gatehouse/store"
	"gatehouse/store/kv"
)

var (
	// ErrNone: there is no such log-in, or no more.
	ErrNone = errors.New("there is no such login")
	// ErrChanged: another step of the log-in was faster. Nothing was done.
	ErrChanged = errors.New("the login has changed meanwhile")
)

// maxContent bounds what is kept of one log-in, in bytes.
const maxContent = 32 << 10

// Sessions are the log-ins of one registry. Their methods may be called from any number of goroutines.
type Sessions struct {
	kv  kv.Store
	now func() time.Time
}

// New returns the log-ins kept in an engine, which it does not close. A nil now means time.Now.
func New(engine kv.Store, now func() time.Time) *Sessions {
	if now == nil {
		now = time.Now
	}
	return &Sessions{kv: engine, now: now}
}

// Session is a log-in as it was read.
type Session struct {
	Content []byte
	Until   time.Time // in whole seconds
	page    string
	row     kv.Entry
}

// PageOf returns the page that belongs to a ticket, and false for what can be no ticket.
func PageOf(ticket string) (page string, ok bool) {
	secret, ok := decode(ticket)
	if !ok {
		return "", false
	}
	m := hmac.New(sha256.New, secret)
	m.Write([]byte("gatehouse: the page of a login, version 1"))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)), true
}

// decode accepts one spelling of 32 bytes only.
func decode(name string) ([]byte, bool) {
	if len(name) != 43 {
		return nil, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(name)
	return b, err == nil && len(b) == 32
}

// Begin makes a log-in that lasts until then at most. Errors: store.ErrFull.
func (s *Sessions) Begin(ctx context.Context, content []byte, until time.Time) (ticket, page string, err error) {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails (crypto/rand)
	ticket = base64.RawURLEncoding.EncodeToString(secret[:])
	page, _ = PageOf(ticket)
	absent := kv.Entry{Key: keyOf(page)}
	value, err := seal(page, absent.Key, content, until)
	if err != nil {
		return "", "", err
	}
	if err := s.kv.Apply(ctx, kv.Batch{If: []kv.Entry{absent}, Put: []kv.Entry{{Key: absent.Key, Value: value}}}); err != nil {
		return "", "", failed("beginning a login", err)
	}
	return ticket, page, nil
}

// Read returns the log-in of a page. Errors: ErrNone.
func (s *Sessions) Read(ctx context.Context, page string) (Session, error) {
	if _, ok := decode(page); !ok {
		return Session{}, ErrNone
	}
	row, err := s.kv.Get(ctx, keyOf(page))
	if errors.Is(err, kv.ErrNotFound) {
		return Session{}, ErrNone
	}
	if err != nil {
		return Session{}, fmt.Errorf("reading a login: %w", err)
	}
	content, until, ok := unseal(page, row)
	if !ok || !s.now().Before(until) {
		return Session{}, ErrNone
	}
	return Session{Content: content, Until: until, page: page, row: row}, nil
}

// Replace puts new content into a log-in as it was read, and returns it as it is then. Errors: ErrChanged, store.ErrFull.
func (s *Sessions) Replace(ctx context.Context, old Session, content []byte) (Session, error) {
	value, err := seal(old.page, old.row.Key, content, old.Until)
	if err != nil {
		return Session{}, err
	}
	row := kv.Entry{Key: old.row.Key, Value: value}
	if err := s.kv.Apply(ctx, kv.Batch{If: []kv.Entry{old.row}, Put: []kv.Entry{row}}); err != nil {
		return Session{}, failed("changing a login", err)
	}
	return Session{Content: content, Until: old.Until, page: old.page, row: row}, nil
}

// End removes a log-in as it was read: of all who try, one gets nil. Errors: ErrChanged.
func (s *Sessions) End(ctx context.Context, old Session) error {
	return failed("ending a login", s.kv.Apply(ctx, kv.Batch{If: []kv.Entry{old.row}, Delete: [][]byte{old.row.Key}}))
}

// Sweep removes what has expired or is damaged, and returns how many that was.
func (s *Sessions) Sweep(ctx context.Context) (removed int, err error) {
	from, to := store.SessionRange()
	var due []kv.Entry
	for row, err := range s.kv.Scan(ctx, from, to) {
		if err != nil {
			return 0, fmt.Errorf("reading the logins: %w", err)
		}
		if until, ok := end(row); !ok || !s.now().Before(until) {
			due = append(due, row)
		}
	}
	for _, row := range due {
		if err := s.End(ctx, Session{row: row}); err == nil {
			removed++
		} else if !errors.Is(err, ErrChanged) {
			return removed, err
		}
	}
	return removed, nil
}

func failed(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kv.ErrConflict):
		return ErrChanged
	case errors.Is(err, kv.ErrFull):
		err = fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

func keyOf(page string) []byte { return store.SessionKey(sha256.Sum256([]byte(page))) }

// endSize is what stands before what is sealed: the end of the log-in in Unix seconds, in the clear for Sweep.
const endSize = 8

func end(row kv.Entry) (time.Time, bool) {
	if len(row.Value) < endSize {
		return time.Time{}, false
	}
	return time.Unix(int64(binary.BigEndian.Uint64(row.Value)), 0), true
}

// seal encrypts with AES-256-GCM under HKDF-SHA-256 of the page's name; the key of the row and the end are authenticated with it.
func seal(page string, key, content []byte, until time.Time) ([]byte, error) {
	if len(content) > maxContent {
		return nil, errors.New("there is too much to remember of a login")
	}
	box, err := boxOf(page)
	if err != nil {
		return nil, err
	}
	value := binary.BigEndian.AppendUint64(nil, uint64(until.Unix()))
	nonce := make([]byte, box.NonceSize())
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	return box.Seal(append(value, nonce...), nonce, content, bound(key, value)), nil
}

func unseal(page string, row kv.Entry) (content []byte, until time.Time, ok bool) {
	until, ok = end(row)
	box, err := boxOf(page)
	if !ok || err != nil || len(row.Value) < endSize+box.NonceSize() {
		return nil, until, false
	}
	ends, nonce, sealed := row.Value[:endSize], row.Value[endSize:endSize+box.NonceSize()], row.Value[endSize+box.NonceSize():]
	content, err = box.Open(nil, nonce, sealed, bound(row.Key, ends))
	return content, until, err == nil
}

// bound is what a row's content cannot be taken away from.
func bound(key, end []byte) []byte { return append(append([]byte(nil), key...), end...) }

func boxOf(page string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(page), nil, "gatehouse: what is known of a login, version 1", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
