package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"gatehouse/scopes"
	"gatehouse/store/kv"
	"gatehouse/store/packument"
)

// Publication is a version to be added, checked and allowed.
type Publication struct {
	Upload *packument.Upload
	// Binding is what the verdict was given for: the binding of the package, or, at the first publish, the one it gets.
	Binding scopes.Binding
	By      scopes.Principal
	// Publisher is how the documents name who published.
	Publisher packument.Publisher
	// Replace lets the publish take the place of a version that exists (settings.allow_previous_version). A number that was
	// unpublished stays burned all the same.
	Replace bool
}

// Outcome is what became of a publish that succeeded.
type Outcome uint8

const (
	Added    Outcome = iota + 1
	Repeated         // it had been made already
	Replaced         // in place of a version that existed
)

// retryWindow is how long a publish may be repeated: clients send it again when an answer got lost (npm tries three times, with pauses of up
// to a minute).
const retryWindow = 10 * time.Minute

// uploadTime is how long an upload may stay uncommitted before it counts as abandoned.
const uploadTime = time.Hour

// Publish adds a version and points its tag, and "latest" if there was none, to it. When it returns nil both the tarball and the
// metadata are durable. On any error nothing is visible, and what was uploaded is left to Sweep.
//
// Publishing the same bytes again, by the same publisher and soon after, succeeds and changes nothing.
// Errors: ErrVersionExists, *Gone for a number that was unpublished, ErrRebound,
// ErrNamespace, ErrBusy, ErrFull, ErrUnavailable.
func (s *Store) Publish(ctx context.Context, p Publication) (Outcome, error) {
	name, version := p.Upload.Name.String(), p.Upload.Version

	at := s.now().UTC().Truncate(time.Millisecond)
	kept := p.Upload.Kept(p.Publisher)

	// Sparing an upload that cannot succeed. The decision itself is made again with the head in hand.
	old, err := s.Head(ctx, name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return 0, err
	}
	if _, err := s.place(ctx, p, old, kept); errors.Is(err, errUnchanged) {
		return Repeated, nil
	} else if err != nil {
		return 0, err
	}

	upload, err := s.upload(ctx, p.Upload)
	if err != nil {
		return 0, err
	}
	record, err := json.Marshal(Version{
		Blob: string(upload.Value), Size: p.Upload.Size, Integrity: p.Upload.Integrity, By: ActorOf(p.By),
	})
	if err != nil {
		return 0, err
	}
	row := storedVersion{at: at, record: record, full: kept.Full, short: kept.Short}.encode()

	outcome := Repeated
	_, err = s.change(ctx, name, func(old Head, exists bool, b *kv.Batch) (Head, Event, error) {
		outcome = Repeated
		if exists {
			if err := sameBinding(old, p.Binding); err != nil {
				return Head{}, Event{}, err
			}
		}
		previous, err := s.place(ctx, p, old, kept)
		if err != nil {
			return Head{}, Event{}, err
		}
		if !exists {
			if _, err := s.claimNamespace(ctx, name, Rebinding{To: p.Binding}, b); err != nil {
				return Head{}, Event{}, err
			}
		}
		new := old.next(at)
		new.Unpublished = nil
		if !exists {
			new.Created, new.Binding = at, p.Binding
		}
		new.DistTags[p.Upload.Tag] = version
		if new.DistTags["latest"] == "" {
			new.DistTags["latest"] = version
		}
		// The upload row is a condition too: if Sweep took it for abandoned, its object is gone.
		b.If = append(b.If, kv.Entry{Key: versionKey(name, version), Value: previous.row.Value}, upload)
		b.Put = append(b.Put, []kv.Entry{{Key: versionKey(name, version), Value: row}, {Key: pageKey(name, version), Value: kept.Page}}...)
		b.Delete = [][]byte{upload.Key}
		outcome = Added
		event := Event{What: "publish", Package: name, Version: version, Tag: p.Upload.Tag, By: ActorOf(p.By), At: at}
		if previous.row.Value != nil {
			event.What, outcome = "replace", Replaced
			was, err := previous.version()
			if err != nil {
				return Head{}, Event{}, err
			}
			s.withdrawn(b, was.Blob)
		}
		return new, event, nil
	})
	// The upload of a publish that lost a race is of no use to anybody. After any other error the batch may have
	// happened: whether it did, Sweep finds out.
	if err == nil && outcome == Repeated || err != nil && (isGone(err) || errors.Is(err, ErrVersionExists) || errors.Is(err, ErrRebound) || errors.Is(err, ErrNamespace) || errors.Is(err, ErrBusy)) {
		_, _ = s.discard(context.WithoutCancel(ctx), upload)
	}
	if err != nil {
		return 0, err
	}
	return outcome, nil
}

// place finds where a version is to be published: the zero row, or, with Replace, the row that it takes the place of. It returns errUnchanged
// if this very publish was made just now, ErrVersionExists, or *Gone.
func (s *Store) place(ctx context.Context, p Publication, head Head, kept packument.Kept) (storedVersion, error) {
	found, record, err := s.present(ctx, p.Upload.Name.String(), p.Upload.Version)
	switch {
	case errors.Is(err, ErrNoVersion):
		return storedVersion{}, nil
	case err != nil:
		return storedVersion{}, err
	case record.Integrity == p.Upload.Integrity && record.By.ID == p.By.ID && s.now().Sub(found.at) < retryWindow &&
		head.DistTags[p.Upload.Tag] == p.Upload.Version && bytes.Equal(found.full.JSON, kept.Full.JSON):
		return storedVersion{}, errUnchanged
	case p.Replace:
		return found, nil
	}
	return storedVersion{}, ErrVersionExists
}

// upload makes the tarball durable under a key of its own and returns the row that marks it as not committed.
func (s *Store) upload(ctx context.Context, u *packument.Upload) (kv.Entry, error) {
	name := u.Name.String()
	key := blobKey(name, u.Name.Tarball(u.Version), u.SHA512)
	row := kv.Entry{Key: uploadKey(s.now().Add(uploadTime), key), Value: []byte(key)}
	if err := s.kv.Apply(ctx, kv.Batch{If: []kv.Entry{{Key: row.Key}}, Put: []kv.Entry{row}}); err != nil {
		return kv.Entry{}, noRoom(fmt.Errorf("noting the upload of %s@%s: %w", name, u.Version, err))
	}
	tarball := u.Tarball()
	if _, err := tarball.Seek(0, io.SeekStart); err != nil {
		return kv.Entry{}, err
	}
	if err := s.blobs.Put(ctx, key, u.Size, tarball); err != nil {
		if !errors.Is(err, ErrUnavailable) { // else nobody would answer to this either, and somebody waits for us
			_, _ = s.remove(context.WithoutCancel(ctx), row) // and if not now, Sweep will
		}
		return kv.Entry{}, noRoom(fmt.Errorf("storing the tarball of %s@%s: %w", name, u.Version, err))
	}
	return row, nil
}

func isGone(err error) bool {
	g := (*Gone)(nil)
	return errors.As(err, &g)
}
