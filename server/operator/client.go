package operator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"gatehouse/server/gate"
	"gatehouse/store/backup"
	"gatehouse/store/fsck"
)

// ErrNotRunning: nobody listens at the socket.
var ErrNotRunning = errors.New("no registry is running on these data")

// Client asks a registry that runs. Its methods are those of Desk.
type Client struct {
	http http.Client
}

// Dial finds the registry that runs on the metadata in a folder. Errors: ErrNotRunning.
func Dial(ctx context.Context, metadata string) (*Client, error) {
	path := Path(metadata)
	dial := func(ctx context.Context) (conn net.Conn, err error) {
		err = reach(path, func(address string) (err error) {
			conn, err = (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", address)
			return err
		})
		return conn, err
	}
	conn, err := dial(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTDIR):
		return nil, ErrNotRunning
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("this user may not use the operator's socket (%s): run the command as the user that the registry runs as", path)
	case err != nil:
		return nil, fmt.Errorf("the operator's socket: %w", err)
	}
	_ = conn.Close()
	return &Client{http: http.Client{Transport: &http.Transport{
		DialContext:        func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		DisableKeepAlives:  true,
		DisableCompression: true,
	}}}, nil
}

// Check is Desk.Check.
func (c *Client) Check(ctx context.Context, what Check, tell func(Message)) (fsck.Summary, error) {
	last, err := c.messages(ctx, "fsck", what, tell)
	if err != nil {
		return fsck.Summary{}, err
	}
	if last.Checked == nil {
		return fsck.Summary{}, errCutOff
	}
	return *last.Checked, nil
}

// Collect is Desk.Collect.
func (c *Client) Collect(ctx context.Context, what Collect, tell func(Message)) (fsck.Collected, error) {
	last, err := c.messages(ctx, "gc", what, tell)
	if err != nil {
		return fsck.Collected{}, err
	}
	if last.Collected == nil {
		return fsck.Collected{}, errCutOff
	}
	return *last.Collected, nil
}

// Why is Desk.Why.
func (c *Client) Why(ctx context.Context, what Why) (gate.Why, error) {
	last, err := c.messages(ctx, "why", what, func(Message) {})
	if err != nil {
		return gate.Why{}, err
	}
	if last.Why == nil {
		return gate.Why{}, errCutOff
	}
	return *last.Why, nil
}

var errCutOff = errors.New("the registry ended while it was at work: look into its log, and do it again")

// messages passes on what is told and returns the last message.
func (c *Client) messages(ctx context.Context, verb string, what any, tell func(Message)) (Message, error) {
	resp, err := c.post(ctx, verb, what)
	if err != nil {
		return Message{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	for in := json.NewDecoder(resp.Body); ; {
		var m Message
		if err := in.Decode(&m); err != nil {
			if ctx.Err() != nil {
				return m, ctx.Err()
			}
			return m, errCutOff
		}
		switch {
		case m.Error != "":
			return m, errors.New(m.Error)
		case m.Checked != nil || m.Collected != nil || m.Why != nil || m.Bound != nil || m.Admitted != nil || m.Listed != nil:
			return m, nil
		}
		tell(m)
	}
}

// Backup is Desk.Backup. Of what has been done, progress is told the bytes only.
func (c *Client) Backup(ctx context.Context, w io.Writer, progress func(done, of backup.Counts)) (backup.Summary, error) {
	var sum backup.Summary
	resp, err := c.post(ctx, "backup", struct{}{})
	if err != nil {
		return sum, err
	}
	defer func() { _ = resp.Body.Close() }()
	var of backup.Counts
	if err := json.Unmarshal([]byte(resp.Header.Get(expectedHeader)), &of); err != nil {
		return sum, errCutOff
	}
	in := &source{r: resp.Body}
	_, err = io.Copy(io.MultiWriter(w, &meter{of: of, progress: progress}), in)
	switch {
	case ctx.Err() != nil:
		return sum, ctx.Err()
	case in.failed:
		return sum, errCutOff
	case err != nil:
		return sum, fmt.Errorf("writing the backup: %w", err)
	}
	if text := resp.Trailer.Get(errorTrailer); text != "" {
		return sum, errors.New(text)
	}
	if err := json.Unmarshal([]byte(resp.Trailer.Get(summaryTrailer)), &sum); err != nil {
		return sum, errCutOff
	}
	return sum, nil
}

func (c *Client) post(ctx context.Context, verb string, what any) (*http.Response, error) {
	body, err := json.Marshal(what)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://gatehouse/"+verb, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("asking the running registry: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	_ = resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound {
		return nil, errors.New("the running registry is of another version and does not know this command: use the program it was started with")
	}
	return nil, errors.New(strings.TrimSpace(string(text)))
}

// source tells a failure to read from one to write.
type source struct {
	r      io.Reader
	failed bool
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.failed = s.failed || err != nil && err != io.EOF
	return n, err
}

// meter counts what passes.
type meter struct {
	done, of backup.Counts
	progress func(done, of backup.Counts)
}

func (m *meter) Write(p []byte) (int, error) {
	m.done.Bytes += int64(len(p))
	if m.progress != nil {
		m.progress(m.done, m.of)
	}
	return len(p), nil
}
