package githubtest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// hook is a registered webhook.
type hook struct {
	id          int64
	url, secret string
	accounts    map[int64]bool // empty: all
}

// Delivery is one webhook as it was sent. Body and Header are what the receiver got.
type Delivery struct {
	ID            string // X-GitHub-Delivery
	Event, Action string
	Header        http.Header
	Body          []byte
	Status        int   // 0 if there was no answer
	Err           error // why there was none

	url string
}

const (
	hookQueue   = 256  // deliveries that wait; more are dropped, as GitHub drops what can't be delivered
	hookHistory = 1000 // deliveries kept for Deliveries
	hookTimeout = 10 * time.Second
)

// AddHook registers a webhook, as a GitHub App has one: from now on changes of what the fake knows are told to
// the address, in the background and in order, each at most once. Without accounts it hears of all. The address
// must be on the loopback interface. It returns the hook's id.
func (g *GitHub) AddHook(url, secret string, accounts ...string) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := &hook{id: g.nextID(), url: url, secret: secret, accounts: map[int64]bool{}}
	for _, login := range accounts {
		h.accounts[g.mustAccount(login).id] = true
	}
	g.hooks = append(g.hooks, h)
	if g.queue == nil {
		ctx, stop := context.WithCancel(context.Background())
		g.queue, g.stopHooks = make(chan *Delivery, hookQueue), stop
		go g.deliverQueue(ctx, g.queue)
	}
	return h.id
}

// RemoveHook takes a webhook away. What waits to be delivered still is.
func (g *GitHub) RemoveHook(id int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hooks = slices.DeleteFunc(g.hooks, func(h *hook) bool { return h.id == id })
}

// Deliveries returns the latest deliveries, oldest first, those that wait included.
func (g *GitHub) Deliveries() []Delivery {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]Delivery, len(g.deliveries))
	for i, d := range g.deliveries {
		all[i] = *d
	}
	return all
}

// AwaitDeliveries waits until nothing waits to be delivered.
func (g *GitHub) AwaitDeliveries(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	wake := context.AfterFunc(ctx, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.delivered.Broadcast()
	})
	defer wake()
	for g.waiting > 0 && ctx.Err() == nil {
		g.delivered.Wait()
	}
	return ctx.Err()
}

// Redeliver sends a delivery once more, with the same X-GitHub-Delivery, and waits for the answer. GitHub does
// this only when it is asked to.
func (g *GitHub) Redeliver(id string) Delivery {
	g.mu.Lock()
	i := slices.IndexFunc(g.deliveries, func(d *Delivery) bool { return d.ID == id })
	if i < 0 {
		g.mu.Unlock()
		panic("githubtest: no delivery " + id)
	}
	again := *g.deliveries[i]
	g.mu.Unlock()
	again.Status, again.Err = post(context.Background(), &again)
	return again
}

// emit tells the hooks of a change. The account is whose it is, and others may hear of it also; it is 0 for
// what has neither organization nor installation.
func (g *GitHub) emit(event, action string, account int64, fields map[string]any, also ...int64) {
	for _, h := range g.hooks {
		heard := func(id int64) bool { return h.accounts[id] }
		if len(h.accounts) > 0 && !heard(account) && !slices.ContainsFunc(also, heard) {
			continue
		}
		d := g.delivery(h, event, action, account, fields)
		g.deliveries = append(g.deliveries, d)
		if over := len(g.deliveries) - hookHistory; over > 0 {
			g.deliveries = slices.Delete(g.deliveries, 0, over)
		}
		select {
		case g.queue <- d:
			g.waiting++
		default:
			d.Err = errors.New("too many deliveries wait")
		}
	}
}

// delivery makes the body and the headers.
func (g *GitHub) delivery(h *hook, event, action string, account int64, fields map[string]any) *Delivery {
	body := g.payload(action, account, fields)
	random := g.bytes(16)
	id := fmt.Sprintf("%x-%x-%x-%x-%x", random[:4], random[4:6], random[6:8], random[8:10], random[10:])
	header := http.Header{}
	for name, value := range map[string]string{
		"Accept": "*/*", "Content-Type": "application/json", "User-Agent": "GitHub-Hookshot/" + hex.EncodeToString(random[:4])[:7],
		"X-GitHub-Event": event, "X-GitHub-Delivery": id, "X-GitHub-Hook-ID": strconv.FormatInt(h.id, 10),
		"X-GitHub-Hook-Installation-Target-Type": "integration", "X-GitHub-Hook-Installation-Target-ID": "1",
	} {
		header.Set(name, value)
	}
	if h.secret != "" {
		m1, m256 := hmac.New(sha1.New, []byte(h.secret)), hmac.New(sha256.New, []byte(h.secret))
		m1.Write(body)
		m256.Write(body)
		header.Set("X-Hub-Signature", "sha1="+hex.EncodeToString(m1.Sum(nil)))
		header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(m256.Sum(nil)))
	}
	return &Delivery{ID: id, Event: event, Action: action, Header: header, Body: body, url: h.url}
}

// deliverQueue posts what waits, one after the other, until ctx ends.
func (g *GitHub) deliverQueue(ctx context.Context, queue <-chan *Delivery) {
	for {
		select {
		case <-ctx.Done():
			return
		case d := <-queue:
			status, err := post(ctx, d)
			g.mu.Lock()
			d.Status, d.Err = status, err
			if ctx.Err() == nil {
				g.waiting--
				g.delivered.Broadcast()
			}
			g.mu.Unlock()
		}
	}
}

// endHooks stops deliveries; what waits is dropped.
func (g *GitHub) endHooks() {
	if g.queue != nil {
		g.stopHooks()
		g.queue, g.hooks, g.waiting = nil, nil, 0
		g.delivered.Broadcast()
	}
}

// loopback posts to this machine only, follows no redirects and keeps no connections.
var loopback = &http.Client{
	Timeout:       hookTimeout,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport: &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{
		Control: func(_, address string, _ syscall.RawConn) error {
			if ap, err := netip.ParseAddrPort(address); err != nil || !ap.Addr().IsLoopback() {
				return errors.New("githubtest delivers webhooks to loopback addresses only, not to " + address)
			}
			return nil
		},
	}).DialContext},
}

func post(ctx context.Context, d *Delivery) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, bytes.NewReader(d.Body))
	if err != nil {
		return 0, err
	}
	req.Header = d.Header.Clone()
	res, err := loopback.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, nil
}

// payload fills in what most events have, and renders them.
func (g *GitHub) payload(action string, account int64, fields map[string]any) []byte {
	c := g.hookCall()
	all := map[string]any{}
	if action != "" {
		all["action"] = action
	}
	if a := g.accounts[account]; a != nil {
		if a.org {
			all["organization"] = g.simpleOrg(c, a)
		}
		all["sender"] = g.simpleUser(c, g.ownerOf(a))
		for _, id := range sortedKeys(maps.Keys(g.apps)) {
			if in := g.apps[id].installs[account]; in != nil {
				all["installation"] = map[string]any{"id": in.id, "node_id": nodeID("I", in.id)}
				break
			}
		}
	}
	for name, value := range fields {
		all[name] = value
	}
	b, err := json.Marshal(all)
	if err != nil {
		panic("githubtest: " + err.Error())
	}
	return b
}

// ownerOf is somebody who may have made a change: the account itself, or an owner of the organization.
func (g *GitHub) ownerOf(a *account) *account {
	for _, id := range sortedKeys(maps.Keys(a.members)) {
		if a.members[id] {
			return g.accounts[id]
		}
	}
	return a
}

// hookCall is whom documents in deliveries are made for: nobody, at the address of the API.
func (g *GitHub) hookCall() *call {
	web := "http://localhost"
	if g.listener != nil {
		web = "http://" + g.listener.Addr().String()
	}
	return &call{base: web + "/api/v3", web: web}
}
