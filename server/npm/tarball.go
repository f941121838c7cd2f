package npm

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"gatehouse/store"
)

// tarball serves the bytes of a version, whole or in ranges, with GET and HEAD. Accept is not looked at: yarn 1 and pnpm 10 ask for
// tarballs with the Accept of documents.
//
// Where the tarballs are in a storage of their own the caller may be sent there, see redirected.
//
// The bytes never change, but permissions do: a cache must ask again, and is answered 304.
func (p *protocol) tarball(c *gin.Context) error {
	name, head, who, err := p.readable(c)
	if err != nil {
		return unlessRedirected(err)
	}
	file := param(c, "file")
	version, ok := name.VersionOf(file)
	if !ok {
		return noVersion(name, file, who)
	}
	if done, err := p.redirected(c, head, version); errors.Is(err, store.ErrNoVersion) {
		return noVersion(name, version, who)
	} else if done || err != nil {
		return err
	}
	if known := c.GetHeader("If-None-Match"); known != "" || c.Request.Method == http.MethodHead {
		record, err := p.Registry.Stat(c.Request.Context(), head, version)
		if errors.Is(err, store.ErrNoVersion) {
			return noVersion(name, version, who)
		}
		if err != nil {
			return err
		}
		if unopened(c, record, known) {
			return nil
		}
	}
	object, record, err := p.Registry.Tarball(c.Request.Context(), head, version)
	if errors.Is(err, store.ErrNoVersion) {
		return noVersion(name, version, who)
	}
	if err != nil {
		return err
	}
	defer func() { _ = object.Body.Close() }()
	tarballHeaders(c, record)
	// gin's writer hides ReadFrom, and with it the kernel's way from file to socket.
	if file, ok := object.Body.(*os.File); ok {
		http.ServeContent(underlying(c), c.Request, "", time.Time{}, file)
		return nil
	}
	body := &watched{ReadSeeker: object.Body}
	http.ServeContent(underlying(c), c.Request, "", time.Time{}, body)
	if body.err != nil {
		_ = c.Error(body.err) // the answer has begun and is cut short, which the client notices; this tells the log why
	}
	return nil
}

func tarballHeaders(c *gin.Context, record store.Version) {
	h := c.Writer.Header()
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Content-Type", "application/octet-stream")
	h.Set(etagHeader, `"`+strings.TrimRight(record.Integrity, "=")+`"`)
}

// unopened answers what takes no byte of the tarball, so that a storage that is elsewhere is not asked for it: a validator that holds, and HEAD. It reports
// whether it has. A range means nothing to HEAD (RFC 9110, 14.2).
func unopened(c *gin.Context, record store.Version, known string) bool {
	h := c.Writer.Header()
	tarballHeaders(c, record)
	switch {
	case known != "" && matches(known, h.Get(etagHeader)):
		h.Del("Content-Type") // as net/http has it
		c.Writer.WriteHeader(http.StatusNotModified)
	case c.Request.Method == http.MethodHead:
		h.Set("Accept-Ranges", "bytes")
		h.Set("Content-Length", strconv.FormatInt(record.Size, 10))
		c.Writer.WriteHeader(http.StatusOK)
	default:
		return false
	}
	c.Writer.WriteHeaderNow()
	return true
}

// watched remembers why reading failed, which ServeContent keeps to itself.
type watched struct {
	io.ReadSeeker
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadSeeker.Read(p)
	if err != nil && err != io.EOF && w.err == nil {
		w.err = err
	}
	return n, err
}

func underlying(c *gin.Context) http.ResponseWriter {
	if w, ok := c.Writer.(interface{ Unwrap() http.ResponseWriter }); ok {
		return w.Unwrap()
	}
	return c.Writer
}
