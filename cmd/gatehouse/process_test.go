package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse/githubauth/githubtest"
	"gatehouse/store/packument/packumenttest"
)

// instance is a gatehouse in a process of its own on a folder that outlives it.
type instance struct {
	url    string
	cmd    *exec.Cmd
	stdout io.Reader
	log    *bytes.Buffer // not to be read before the process has ended
}

// launch runs the program on data and returns when it answers.
func launch(t *testing.T, program, data string, github *githubtest.Fixture, flags ...string) *instance {
	t.Helper()
	i := &instance{log: &bytes.Buffer{}}
	i.cmd = exec.Command(program, append([]string{
		"--server.host=127.0.0.1", "--server.port=0", "--auth.github.orgs=acme", "--auth.github.api_url=" + github.APIURL(), "--auth.github.web_url=" + github.URL(),
		"--metadata.leveldb.path=" + filepath.Join(data, "db"), "--storage.local.path=" + filepath.Join(data, "storage"),
		"--auth.github.cache.path=" + filepath.Join(data, "github-cache"),
	}, flags...)...)
	i.cmd.Env = []string{asGatehouse + "=1"}
	i.cmd.Dir = t.TempDir()
	i.cmd.Stderr = i.log
	stdout, err := i.cmd.StdoutPipe()
	if err == nil {
		err = i.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.cmd.Process.Kill() })
	lines := bufio.NewReader(stdout)
	line, err := lines.ReadString('\n')
	address := listensOn.FindStringSubmatch(line)
	if address == nil {
		_ = i.cmd.Wait()
		t.Fatalf("gatehouse says %q, %v\n%s", line, err, i.log)
	}
	i.url, i.stdout = "http://"+address[1], lines
	return i
}

// kill ends the process as a power cut would, as far as a process can tell.
func (i *instance) kill() {
	_ = i.cmd.Process.Kill()
	_ = i.cmd.Wait()
}

// terminate ends it in good order.
func (i *instance) terminate(t *testing.T) {
	t.Helper()
	if err := i.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, i.stdout)
	if err := i.cmd.Wait(); err != nil {
		t.Errorf("gatehouse ended with %v\n%s", err, i.log)
	}
}

// self is the test binary, which is the program if asGatehouse is in the environment.
func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// put publishes and returns the status, or 0 if there was no answer.
func put(url, token string, body io.Reader) int {
	req, err := http.NewRequest(http.MethodPut, url, body)
	if err != nil {
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode
}

// TestStartMistakes: each mistake is one sentence and an exit code, and nothing has been made.
func TestStartMistakes(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = busy.Close() })
	_, port, _ := net.SplitHostPort(busy.Addr().String())
	for _, c := range []struct {
		what string
		args []string
		want string
	}{
		{"an unknown flag", []string{"--server.prot=1"}, `--server.prot is not a known flag; did you mean --server.port\?`},
		{"an unknown command", []string{"serv"}, `unknown command "serv"`},
		{"a wrong value", []string{"--server.port=high"}, `server.port must be a whole number`},
		{"two wrong values", []string{"--server.port=high", "--auth.type=ldap"}, `2 mistakes:(?s:.*)server.port(?s:.*)auth.type`},
		{"a file that is not there", []string{"--config=nowhere.yaml"}, `nowhere.yaml`},
		{"a port in use", []string{"--server.host=127.0.0.1", "--server.port=" + port}, `port ` + port + ` is in use by another program`},
		{"a file where a folder must be", []string{"--server.port=0", "--storage.local.path=a-file/storage"}, `a-file is a file, where gatehouse needs the folder`},
		{"a file where answers are to be kept", []string{"--server.port=0", "--auth.github.cache.path=a-file"}, `auth.github.cache.path: (?s:.*)a-file is a file, where gatehouse needs the folder`},
		{"tokens in the clear", []string{"--auth.github.api_url=http://github.example.org/api/v3"}, `https`},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "a-file"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, self(t), c.args...)
			cmd.Dir, cmd.Env = dir, []string{asGatehouse + "=1"}
			out, err := cmd.CombinedOutput()
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Errorf("it ended with %v", err)
			}
			if !regexp.MustCompile(c.want).Match(out) || strings.Count(string(out), "\n") > 4 {
				t.Errorf("it says %q", out)
			}
			if made, err := os.ReadDir(dir); err != nil || len(made) != 1 {
				t.Errorf("it made %v, %v", made, err)
			}
		})
	}
}

// TestOneProcessPerData: a second process on the same data is refused, and the first is not disturbed.
func TestOneProcessPerData(t *testing.T) {
	t.Parallel()
	github := githubtest.Acme().Start()
	defer github.Close()
	data := t.TempDir()
	first := launch(t, self(t), data, github)
	second := exec.Command(self(t), "--server.host=127.0.0.1", "--server.port=0", "--metadata.leveldb.path="+filepath.Join(data, "db"), "--storage.local.path="+filepath.Join(data, "storage"))
	second.Env, second.Dir = []string{asGatehouse + "=1"}, t.TempDir()
	out, err := second.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "another gatehouse is running on the data in") {
		t.Errorf("the second: %v %s", err, out)
	}
	p := packumenttest.Package{Name: "@acme/ui", Version: "1.0.0", Repository: "github:acme/ui"}
	if status := put(first.url+p.Path(), github.Wendy, bytes.NewReader(p.Body())); status != http.StatusCreated {
		t.Errorf("the first answers %d", status)
	}
	first.terminate(t)
}

// TestTerminateDrains: a publish that is under way when the signal comes is finished and answered; no new one begins.
func TestTerminateDrains(t *testing.T) {
	t.Parallel()
	github := githubtest.Acme().Start()
	defer github.Close()
	data := t.TempDir()
	i := launch(t, self(t), data, github)
	p := packumenttest.Package{Name: "@acme/ui", Version: "1.0.0", Repository: "github:acme/ui"}
	body := p.Body()

	conn, err := net.Dial("tcp", strings.TrimPrefix(i.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	head := "PUT " + p.Path() + " HTTP/1.1\r\nHost: registry\r\nConnection: close\r\nAuthorization: Bearer " + github.Wendy + "\r\nContent-Type: application/json\r\nContent-Length: "
	if _, err := io.WriteString(conn, head+itoa(len(body))+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	half := len(body) / 2
	if _, err := conn.Write(body[:half]); err != nil {
		t.Fatal(err)
	}
	// The registry is in the middle of the request once it has asked GitHub who is calling.
	waitUntil(t, func() bool { return github.Counts().Total() > 0 })
	if err := i.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(i.url, "http://"))
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	if _, err := conn.Write(body[half:]); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("the publish under way was answered with %v, %v", resp, err)
	}
	_, _ = io.Copy(io.Discard, i.stdout)
	if err := i.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, i.log)
	}
	again := launch(t, self(t), data, github)
	if status, _ := get(t, again.url+"/@acme/ui/-/ui-1.0.0.tgz", github.Rita); status != http.StatusOK {
		t.Errorf("afterwards it is answered with %d", status)
	}
	again.terminate(t)
}

// waitUntil asks until the answer is yes; it gives up long after any machine would have got there.
func waitUntil(t *testing.T, yes func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !yes() {
		if time.Now().After(deadline) {
			t.Fatal("it did not come to that in 20 s")
		}
		time.Sleep(time.Millisecond)
	}
}

func get(t *testing.T, url, token string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, body
}
