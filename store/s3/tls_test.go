package s3

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/store/s3/s3test"
)

// TestTLS: over https the SDK signs requests without their content, which our checksums then guard alone. No other test
// speaks TLS, so that this one can say which certificates the process trusts; it is the same one each time.
func TestTLS(t *testing.T) {
	server := s3test.New(t)
	front := httptest.NewTLSServer(s3test.NewProxy(t, server.URL))
	defer front.Close()
	o := options(t, server, front.URL)

	trusted := filepath.Join(t.TempDir(), "trusted.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})
	if err := os.WriteFile(trusted, text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", trusted)
	s := mustOpen(t, o)
	for key, content := range map[string]string{"empty": "", "small": "content", "parts": random(large, 1)} {
		put(t, s, key, content)
		put(t, s, key, "not this")
		if get(t, s, key) != content {
			t.Errorf("%s: other bytes than were put", key)
		}
	}

	// A name that the certificate is not for.
	o.Endpoint = strings.Replace(front.URL, "127.0.0.1", "localhost", 1)
	_, err := Open(t.Context(), o)
	expectSentence(t, o, err, ErrUnreachable, "certificate is valid for")
}
