package githubauth

import (
	"bytes"
	"cmp"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Answers outlive the process in one file, so that a restart does not ask GitHub everything at once. Each credential's are sealed under a key made
// from the token itself and the key in Options.CacheKey, and found by a name made from the two: who has the file has nothing, and who has both, a
// copy of the registry's folders for instance, cannot open what belongs to a token they do not have, nor tell that it is there.
//
// The file: keepMagic, keepCheck of the key, records, and the SHA-256 of all that. A record is its name, when it was sealed, the length of
// what follows, and the sealed answers behind their nonce. The name and the time are sealed in with them.
const (
	keepMagic   = "gatehouse answers 1\n"
	keepCheck   = 16
	maxKept     = 64 << 20 // bytes of the file
	keepAgain   = 30 * time.Second
	recordHead  = 16 + 8 + 4
	maxOneKept  = 8 << 20 // bytes of one record
	soonEnough  = time.Second
	unfinished  = ".tmp" // what the name of a file ends in that is being written
	sealContext = "gatehouse github answers: "
)

type recordName [16]byte

// drawer is the place of one credential's answers.
type drawer struct {
	name   recordName
	aead   cipher.AEAD
	record []byte // as it was last sealed; nil if there is nothing to keep
}

// keep is the file. unopened holds the records whose tokens have not been seen since the start.
type keep struct {
	path  string
	key   []byte
	check []byte
	wake  chan struct{}
	stop  chan struct{}
	ended chan struct{}

	closing sync.Once
	writing sync.Mutex // held while the file is written

	mu       sync.Mutex
	unopened map[recordName][]byte
	dropped  bool // unopened has become less since the file was written
}

// kept is what a record holds.
type kept struct {
	Who     identity
	Expires time.Time
	Facts   []fact
	Proofs  map[int64]proof
}

func (c *Client) openKeep(path string, key []byte) error {
	if path == "" {
		return nil
	}
	if len(key) != 32 {
		return errors.New("the key of the kept answers must be 32 bytes")
	}
	check, err := hkdf.Key(sha256.New, key, nil, sealContext+"check", keepCheck)
	if err != nil {
		return err
	}
	c.keep = &keep{
		path: path, key: bytes.Clone(key), check: check, unopened: map[recordName][]byte{},
		wake: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
	}
	c.keep.tidy()
	if err := c.keep.load(c.now()); errors.Is(err, fs.ErrNotExist) {
		c.log.Debug("no answers of GitHub are kept yet")
	} else if err != nil {
		clear(c.keep.unopened)
		c.log.Warn("the kept answers of GitHub cannot be used and will be replaced; GitHub is asked anew", "reason", err.Error())
	}
	go c.keeping()
	return nil
}

// tidy removes what a process left that was killed while it wrote.
func (p *keep) tidy() {
	folder, name := filepath.Split(p.path)
	entries, _ := os.ReadDir(cmp.Or(folder, ".")) // what cannot be read now is there the next time
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), name+".") && strings.HasSuffix(e.Name(), unfinished) {
			_ = os.Remove(filepath.Join(folder, e.Name()))
		}
	}
}

// load reads the file's records without opening them.
func (p *keep) load(now time.Time) error {
	f, err := os.Open(p.path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	all, err := io.ReadAll(io.LimitReader(f, maxKept+1))
	if err != nil {
		return err
	}
	rest, known := bytes.CutPrefix(all, []byte(keepMagic))
	switch {
	case len(all) > maxKept:
		return errors.New("the file is too large")
	case !known || len(rest) < keepCheck+sha256.Size:
		return errors.New("the file is not one of this version, or not whole")
	case !bytes.Equal(rest[:keepCheck], p.check):
		return errors.New("the file was written under another key")
	}
	if sum := sha256.Sum256(all[:len(all)-sha256.Size]); !bytes.Equal(sum[:], all[len(all)-sha256.Size:]) {
		return errors.New("the file is damaged")
	}
	rest = rest[keepCheck : len(rest)-sha256.Size]
	for len(rest) > 0 {
		if len(rest) < recordHead {
			return errors.New("a record is not whole")
		}
		size := recordHead + int64(binary.BigEndian.Uint32(rest[24:28]))
		if size > int64(len(rest)) {
			return errors.New("a record is not whole")
		}
		if at := sealedAt(rest); !at.After(now.Add(time.Minute)) {
			p.unopened[recordName(rest[:16])] = rest[:size:size]
		}
		rest = rest[size:]
	}
	return nil
}

func sealedAt(record []byte) time.Time {
	return time.Unix(int64(binary.BigEndian.Uint64(record[16:24])), 0)
}

// restore gives a new entry its drawer, and what was kept of the token. What cannot be opened is not there.
func (c *Client) restore(k *credential, token string) {
	if c.keep == nil {
		return
	}
	name, err := hkdf.Key(sha256.New, []byte(token), c.keep.key, sealContext+"lookup", len(recordName{}))
	if err != nil {
		return
	}
	seal, err := hkdf.Key(sha256.New, []byte(token), c.keep.key, sealContext+"seal", 32)
	if err != nil {
		return
	}
	block, err := aes.NewCipher(seal)
	if err != nil {
		return
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return
	}
	k.drawer = &drawer{name: recordName(name), aead: aead}
	c.keep.mu.Lock()
	record := c.keep.unopened[k.drawer.name]
	c.keep.mu.Unlock()
	if record == nil || len(record) < recordHead+aead.NonceSize() {
		return
	}
	sealed := record[recordHead:]
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], record[:24])
	var old kept
	if err != nil || json.Unmarshal(plain, &old) != nil {
		return
	}
	k.take(old)
	k.drawer.record = record
	for _, f := range k.facts {
		c.teach(f.Repo, opening(f.Public, false), f.At, k.restored) // who asks for the package asks this first
	}
}

// take puts kept answers, with their times, into an entry that nobody else has yet.
func (k *credential) take(old kept) {
	k.who, k.expires = old.Who, old.Expires
	for _, f := range old.Facts {
		if len(k.facts) < maxFacts {
			k.facts[f.Asked] = f
		}
	}
	for owner, p := range old.Proofs {
		k.proofs[owner] = p
	}
	k.size.Store(int64(len(k.facts)))
}

// pack seals what is worth keeping of an entry, if it has changed, and returns its record; nil if there is none.
func (k *credential) pack(now time.Time, worth time.Duration) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.drawer == nil:
		return nil, nil
	case !k.changed:
		return k.drawer.record, nil
	}
	k.changed = false
	k.drawer.record = nil
	oldest := now.Add(-worth)
	out := kept{Who: k.who, Expires: k.expires, Proofs: k.proofs}
	for _, f := range k.facts {
		if f.At.After(oldest) {
			out.Facts = append(out.Facts, f)
		}
	}
	if k.who.At.Before(oldest) && len(out.Facts) == 0 {
		return nil, nil
	}
	plain, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, k.drawer.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	record := append([]byte(nil), k.drawer.name[:]...)
	record = binary.BigEndian.AppendUint64(record, uint64(now.Unix()))
	sealed := k.drawer.aead.Seal(nonce, nonce, plain, record[:24])
	if len(sealed) > maxOneKept {
		return nil, nil
	}
	record = binary.BigEndian.AppendUint32(record, uint32(len(sealed)))
	k.drawer.record = append(record, sealed...)
	return k.drawer.record, nil
}
