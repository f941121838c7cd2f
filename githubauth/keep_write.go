package githubauth

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"
)

// keeping writes the file from time to time, and sooner after something was forgotten.
func (c *Client) keeping() {
	defer close(c.keep.ended)
	every := time.NewTicker(keepAgain)
	defer every.Stop()
	for {
		select {
		case <-every.C:
		case <-c.keep.wake:
			select {
			case <-time.After(soonEnough): // events come in crowds
			case <-c.keep.stop:
				return
			}
		case <-c.keep.stop:
			return
		}
		if err := c.save(); err != nil {
			c.log.Warn("the answers of GitHub could not be kept; a restart will ask it anew", "reason", err.Error())
		}
	}
}

// Close keeps what is known, if it is to be kept, and ends the work in the background. The client must not be used after it. It returns
// what writing the file met with, or the error of ctx.
func (c *Client) Close(ctx context.Context) error {
	if c.keep == nil {
		return nil
	}
	c.keep.closing.Do(func() { close(c.keep.stop) })
	select {
	case <-c.keep.ended:
	case <-ctx.Done():
		return ctx.Err()
	}
	return c.save()
}

// worth is how old answers may be and still be of use: for an outage, or to be renewed at no charge.
func (c *Client) worth() time.Duration { return max(fullAgain, readTTL+c.stale) }

// save writes the file anew, if there is something to change in it.
func (c *Client) save() error {
	p := c.keep
	p.writing.Lock()
	defer p.writing.Unlock()
	now := c.now()
	changed := false
	opened := map[recordName]bool{}
	var records [][]byte
	size := len(keepMagic) + keepCheck + sha256.Size
	add := func(record []byte) {
		if size+len(record) <= maxKept {
			records = append(records, record)
			size += len(record)
		}
	}
	for k := range c.known.Values() {
		k.mu.RLock()
		changed = changed || k.changed
		k.mu.RUnlock()
		record, err := k.pack(now, c.worth())
		if err != nil {
			return err
		}
		if k.drawer != nil {
			opened[k.drawer.name] = true
		}
		if record != nil {
			add(record)
		}
	}
	p.mu.Lock()
	for name, record := range p.unopened {
		if opened[name] || now.Sub(sealedAt(record)) > c.worth() {
			delete(p.unopened, name)
			continue
		}
		add(record)
	}
	changed = changed || p.dropped
	p.dropped = false
	p.mu.Unlock()
	if !changed {
		return nil
	}
	if err := p.write(records); err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.dropped = true // so that it is tried again
		return err
	}
	return nil
}

// write puts the records where the file was, all or nothing.
func (p *keep) write(records [][]byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(p.path), filepath.Base(p.path)+".*"+unfinished) // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	sum := sha256.New()
	w := io.MultiWriter(f, sum)
	for _, part := range append([][]byte{[]byte(keepMagic), p.check}, records...) {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	if _, err := f.Write(sum.Sum(nil)); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), p.path); err != nil {
		return err
	}
	return f.Close()
}

// drop forgets the records that have not been opened: whom they are about cannot be told.
func (p *keep) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.unopened)
	p.dropped = true
	select {
	case p.wake <- struct{}{}:
	default:
	}
}
