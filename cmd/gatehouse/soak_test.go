package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"gatehouse/githubauth/githubtest"
)

// What a registry that has been at work for a while must keep to.
const (
	soakGrowth      = 30 << 20 // of the resident set, and a quarter of it
	soakResident    = 256 << 20
	soakDescriptors = 20
	soakP99         = 250 * time.Millisecond
)

// TestSoak has people, programs and strangers at the registry at once, for two minutes or as long as TEST_SOAK says: nothing is answered with a fault, nothing
// that was acknowledged is lost, and neither memory nor descriptors grow. It is built anew for this, since the race detector takes many times the memory.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("two minutes: skipped with -short")
	}
	t.Parallel()
	lasts, err := time.ParseDuration(cmp.Or(os.Getenv("TEST_SOAK"), "2m"))
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "gatehouse")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	github := githubtest.Acme().Start()
	defer github.Close()
	github.SetLimits(githubtest.Limits{}) // GitHub's are not what is tried
	// A day of the access log would not fit here, and all of them come from one address, which is more than one gets answered: in five minutes they would hear of it.
	i := launch(t, program, t.TempDir(), github, "--logger.level=warn", "--limits.requests_per_address=1000000")
	pid := i.cmd.Process.Pid

	s := &soak{t: t, base: i.url, github: github, counts: map[string]int{}}
	var packages []*soaked
	for n := range 3 {
		p := &soaked{user: s.user(github.Wendy), name: "@acme/soak-" + itoa(n), deprecated: map[string]bool{}}
		p.publish()
		p.publish()
		packages = append(packages, p)
	}
	before := descriptors(t, pid)
	stop := time.Now().Add(lasts)
	var all sync.WaitGroup
	// every does something again and again, at a pace that leaves the machine to others as well.
	every := func(pause time.Duration, do func(n int)) {
		all.Go(func() {
			for n := 0; time.Now().Before(stop) && !s.gaveUp(); n++ {
				do(n)
				time.Sleep(pause) // the pace
			}
		})
	}
	for n, p := range packages {
		every(150*time.Millisecond, p.change)
		for _, token := range []string{github.Wendy, github.Rita, github.WendyReads, github.ActionsReads} {
			u := s.user(token)
			every(100*time.Millisecond, func(k int) { u.install(packages[(n+k)%len(packages)].name) })
		}
	}
	for _, do := range []func(*visitor, int){(*visitor).refused, (*visitor).lost, (*visitor).garbage} {
		u := s.user(github.Rita)
		every(40*time.Millisecond, func(n int) { do(u, n) })
	}
	idle := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer idle.Close()
	control := s.user(github.Rita)
	control.base = idle.URL
	every(25*time.Millisecond, func(int) {
		from := time.Now()
		control.ask(http.MethodGet, "/", nil, 200)
		s.note(&s.control, time.Since(from))
	})
	var resident []int64
	every(lasts/100, func(int) { resident = append(resident, memory(t, pid, "VmRSS")) })
	all.Wait()

	for _, p := range packages {
		p.truthful()
	}
	s.close()
	waitUntil(t, func() bool { return descriptors(t, pid) <= before+soakDescriptors })
	early, late := slices.Max(resident[:len(resident)/4+1]), slices.Max(resident[3*len(resident)/4:])
	if late > early+early/4+soakGrowth || slices.Max(resident) > soakResident {
		t.Errorf("the resident set grew from %d to %d MiB, by way of %d", early>>20, late>>20, slices.Max(resident)>>20)
	}
	slices.Sort(s.packuments)
	slices.Sort(s.control)
	p99, control99 := s.packuments[len(s.packuments)*99/100], s.control[len(s.control)*99/100]
	// What a server that does nothing takes beside it is the machine's and the generator's.
	if p99 > soakP99+2*control99 {
		t.Errorf("the 99th percentile of packuments took %s, where nothing at all took %s", p99, control99)
	}
	t.Logf("%s: %d kinds of requests %v; resident %d MiB early, %d late; packuments p99 %s (of %d; beside it nothing took %s)",
		lasts, len(s.counts), s.counts, early>>20, late>>20, p99, len(s.packuments), control99)
	i.terminate(t)
	if bad := regexp.MustCompile(`(?m)^.*(level=ERROR|panic).*$`).Find(i.log.Bytes()); bad != nil {
		t.Errorf("in the log: %.2000s", bad)
	}
}

// soak is what all who take part have in common.
type soak struct {
	t      *testing.T
	base   string
	github *githubtest.Fixture

	mu                  sync.Mutex
	counts              map[string]int // by method and status
	packuments, control []time.Duration
	wrong               int
	visitors            []*visitor
}

// visitor is somebody with a connection of their own.
type visitor struct {
	*soak
	base, token string
	client      *http.Client
}

func (s *soak) user(token string) *visitor {
	u := &visitor{soak: s, base: s.base, token: token, client: &http.Client{Transport: &http.Transport{DisableCompression: true}, Timeout: 30 * time.Second}}
	s.visitors = append(s.visitors, u)
	return u
}

func (s *soak) close() {
	for _, u := range s.visitors {
		u.client.CloseIdleConnections()
	}
}

func (s *soak) note(to *[]time.Duration, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*to = append(*to, took)
}

// fault is an answer that must not be. After some of them the soak ends.
func (s *soak) fault(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wrong++; s.wrong <= 10 {
		s.t.Errorf(format, args...)
	}
}

func (s *soak) gaveUp() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wrong > 10
}

// ask sends a request and returns the answer, whose status has to be one of those wanted.
func (u *visitor) ask(method, path string, body []byte, want int, header ...string) (http.Header, []byte) {
	req, err := http.NewRequest(method, u.base+path, bytes.NewReader(body))
	if err != nil {
		u.fault("%v", err)
		return nil, nil
	}
	if u.token != "" {
		req.Header.Set("Authorization", "Bearer "+u.token)
	}
	for pair := range slices.Chunk(header, 2) {
		req.Header.Set(pair[0], pair[1])
	}
	resp, err := u.client.Do(req)
	if err != nil {
		u.fault("%s %s: %v", method, path, err)
		return nil, nil
	}
	answer, err := io.ReadAll(resp.Body)
	err = errors.Join(err, resp.Body.Close())
	u.mu.Lock()
	u.counts[fmt.Sprint(method, " ", resp.StatusCode)]++
	u.mu.Unlock()
	if err != nil || resp.StatusCode != want {
		u.fault("%s %.200s: %d, want %d: %.500s, %v", method, path, resp.StatusCode, want, answer, err)
	}
	return resp.Header, answer
}
