package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
)

func TestLowest(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := &lowest{now: func() time.Time { return now }}
	if n := l.least(); n != -1 {
		t.Errorf("nothing seen: %d", n)
	}
	for _, step := range []struct {
		after     time.Duration
		see, want int
	}{
		{0, 40, 40}, {time.Minute, 30, 30}, {time.Minute, 50, 30}, {3 * time.Minute, 60, 30}, {4 * time.Minute, 70, 30}, {2 * time.Minute, 80, 60}, {20 * time.Minute, 90, 90},
	} {
		now = now.Add(step.after)
		l.see(step.see)
		if got := l.least(); got != step.want {
			t.Errorf("%s later, %d seen: %d, want %d", step.after, step.see, got, step.want)
		}
	}
	now = now.Add(time.Hour)
	if n := l.least(); n != -1 {
		t.Errorf("long ago: %d", n)
	}
}

// BenchmarkCount is what the metrics add to a request.
func BenchmarkCount(b *testing.B) {
	m := NewMetrics("1")
	m.requests.know(gin.RoutesInfo{{Method: http.MethodGet, Path: "/:name"}})
	e := gin.New()
	e.GET("/:name", func(c *gin.Context) {
		for b.Loop() {
			m.begin(c).done(http.StatusOK, 1000, time.Millisecond)
		}
	})
	b.ReportAllocs()
	e.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/x", nil))
}
