package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"gatehouse/githubauth/githubtest"
)

// bench is everything that runs during a measurement.
type bench struct {
	dir, binary string
	github      *githubtest.Fixture
	token       string // wendy's, who may publish
}

// gatehouse is the built binary on data of its own, with the settings a first user has.
type gatehouse struct {
	*process
	address string
	began   time.Time
}

func (b *bench) gatehouse(data string) (*gatehouse, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	g := &gatehouse{address: fmt.Sprintf("127.0.0.1:%d", port), began: time.Now()}
	g.process, err = run(filepath.Join(b.dir, filepath.Base(data)+".log"), b.binary, "serve",
		"--server.host=127.0.0.1", fmt.Sprintf("--server.port=%d", port),
		"--auth.github.api_url="+b.github.APIURL(), "--auth.github.web_url="+b.github.URL(), "--auth.github.orgs=acme",
		"--limits.requests_per_token=0", "--limits.requests_per_address=0", // what is measured is one caller
		"--metadata.leveldb.path="+filepath.Join(data, "db"), "--storage.local.path="+filepath.Join(data, "storage"))
	if err != nil {
		return nil, err
	}
	return g, listening(g.address)
}

// nginx serves files as Debian configures it: with sendfile, an access log, and no cache of open files. It asks a server that says yes to everybody,
// over connections that are kept.
type nginx struct {
	*process
	auth    *process
	address string
	root    string
}

const nginxConfig = `%[1]sworker_processes auto;
daemon off;
pid %[2]s/nginx.pid;
error_log %[2]s/error.log;
events { worker_connections 768; }
http {
  access_log %[2]s/access.log;
  sendfile on;
  tcp_nopush on;
  types_hash_max_size 2048;
  default_type application/octet-stream;
  types { application/json json; }
  keepalive_requests 100000000;
  client_body_temp_path %[2]s/body;
  proxy_temp_path %[2]s/proxy;
  fastcgi_temp_path %[2]s/fastcgi;
  uwsgi_temp_path %[2]s/uwsgi;
  scgi_temp_path %[2]s/scgi;
  gzip_static on;
  upstream auth { server %[4]s; keepalive 32; keepalive_requests 100000000; }
  server {
    listen %[3]s;
    root %[2]s/www;
    location = /auth {
      internal;
      proxy_pass http://auth/;
      proxy_http_version 1.1;
      proxy_pass_request_body off;
      proxy_set_header Connection "";
      proxy_set_header Content-Length "";
    }
    location / { auth_request /auth; }
  }
}
`

func (b *bench) nginx() (_ *nginx, err error) {
	dir := filepath.Join(b.dir, "nginx")
	n := &nginx{root: filepath.Join(dir, "www")}
	if err := os.MkdirAll(n.root, 0o755); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	n.address = fmt.Sprintf("127.0.0.1:%d", port)
	if port, err = freePort(); err != nil {
		return nil, err
	}
	auth := fmt.Sprintf("127.0.0.1:%d", port)
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if n.auth, err = run(filepath.Join(b.dir, "auth.log"), self, "-say-yes", auth); err != nil {
		return nil, err
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;\n"
	}
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, nginxConfig, user, dir, n.address, auth), 0o600); err != nil {
		return nil, err
	}
	if n.process, err = run(filepath.Join(b.dir, "nginx.log"), "nginx", "-p", dir, "-c", config); err != nil {
		return nil, err
	}
	if err := listening(auth); err != nil {
		return nil, err
	}
	return n, listening(n.address)
}

func (n *nginx) stop() {
	if n != nil {
		n.process.stop()
		n.auth.stop()
	}
}

// sayYes is the server that nginx asks.
func sayYes(address string) error {
	return http.ListenAndServe(address, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func listening(address string) error {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(end) {
			return err
		}
	}
}
