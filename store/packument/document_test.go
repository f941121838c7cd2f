package packument

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t
}

func fragment(version string) Fragment {
	before := `{"name":"@acme/ui","version":"` + version + `","dist":{"tarball":"`
	return Fragment{JSON: []byte(before + `@acme/ui/-/ui-` + version + `.tgz"}}`), At: len(before)}
}

func join(t testing.TB, form Form, top Top, versions []Version, base string) string {
	t.Helper()
	var b strings.Builder
	if err := Join(&b, form, top, versions, base); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestJoin(t *testing.T) {
	zone := time.FixedZone("", 3600)
	top := Top{
		Name: "@acme/ui", Revision: "7-a", DistTags: map[string]string{"next": "2.0.0-rc.1", "latest": "1.10.0", "a\"b": "1.0.0"},
		Created: at("2026-01-02T03:04:05.678Z"), Modified: at("2026-02-03T04:05:06Z"), Page: []byte(`"readme":"# ui","license":"MIT"`),
	}
	versions := []Version{
		{"2.0.0-rc.1", at("2026-01-04T00:00:00.0009Z"), fragment("2.0.0-rc.1")},
		{"1.10.0", at("2026-01-03T01:00:00.5+01:00").In(zone), fragment("1.10.0")},
		{"1.9.0", at("2026-01-03T00:00:00.5Z"), fragment("1.9.0")},
		{"3.0.0", at("2026-01-02T03:04:05.678Z"), fragment("3.0.0")},
	}
	const tags = `"dist-tags":{"a\"b":"1.0.0","latest":"1.10.0","next":"2.0.0-rc.1"},`
	body := `"versions":{`
	for i, v := range []string{"3.0.0", "1.9.0", "1.10.0", "2.0.0-rc.1"} { // by time; of one time by precedence
		if i > 0 {
			body += ","
		}
		body += `"` + v + `":{"name":"@acme/ui","version":"` + v + `","dist":{"tarball":"http://localhost:3000/@acme/ui/-/ui-` + v + `.tgz"}}`
	}
	body += `},"time":{"created":"2026-01-02T03:04:05.678Z","modified":"2026-02-03T04:05:06.000Z","3.0.0":"2026-01-02T03:04:05.678Z",` +
		`"1.9.0":"2026-01-03T00:00:00.500Z","1.10.0":"2026-01-03T00:00:00.500Z","2.0.0-rc.1":"2026-01-04T00:00:00.000Z"}`

	const base = "http://localhost:3000/"
	full := `{"_id":"@acme/ui","_rev":"7-a","name":"@acme/ui",` + tags + body + `,"readme":"# ui","license":"MIT"}`
	if got := join(t, Full, top, versions, base); got != full {
		t.Errorf("full:\ngot  %s\nwant %s", got, full)
	}
	short := `{"name":"@acme/ui","modified":"2026-02-03T04:05:06.000Z",` + tags + body + `}`
	if got := join(t, Short, top, versions, base); got != short {
		t.Errorf("short:\ngot  %s\nwant %s", got, short)
	}
	if versions[0].Version != "2.0.0-rc.1" || versions[3].Version != "3.0.0" {
		t.Error("the caller's versions were put in another order")
	}
	tree(t, []byte(full))
	tree(t, []byte(short))
}

func TestJoinOfLittle(t *testing.T) {
	top := Top{Name: "a", Created: at("2026-01-01T00:00:00Z"), Modified: at("2026-01-01T00:00:00Z")}
	const times = `"time":{"created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z"}}`
	if got, want := join(t, Full, top, nil, "http://h/"), `{"_id":"a","_rev":"","name":"a","dist-tags":{},"versions":{},`+times; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := join(t, Short, top, nil, "http://h/"), `{"name":"a","modified":"2026-01-01T00:00:00.000Z","dist-tags":{},"versions":{},`+times; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What passes through the joiner's buffer, and what is too large for it, comes out in order.
func TestJoinOfMuch(t *testing.T) {
	for _, size := range []int{10, chunk - 100, chunk, 3 * chunk} {
		var versions []Version
		for i := range 20 {
			v := fmt.Sprintf("1.0.%d", i)
			f := fragment(v)
			f.JSON = append(bytes.TrimSuffix(f.JSON, []byte("}")), fmt.Sprintf(`,"x":"%s"}`, strings.Repeat("x", size))...)
			versions = append(versions, Version{v, at("2026-01-01T00:00:00Z"), f})
		}
		got := tree(t, []byte(join(t, Full, Top{Name: "@acme/ui", Page: []byte(`"readme":"` + strings.Repeat("r", size) + `"`)}, versions, "http://h/"))).(map[string]any)
		for _, v := range versions {
			m := got["versions"].(map[string]any)[v.Version].(map[string]any)
			if m["version"] != v.Version || m["dist"].(map[string]any)["tarball"] != "http://h/@acme/ui/-/ui-"+v.Version+".tgz" || len(m["x"].(string)) != size {
				t.Fatalf("%s is %v", v.Version, m)
			}
		}
		if len(got["readme"].(string)) != size || len(got["versions"].(map[string]any)) != 20 {
			t.Error("something is missing")
		}
	}
}

func TestJoinReportsWriteErrors(t *testing.T) {
	top, versions := packumentOf(100)
	whole := len(join(t, Full, top, versions, "http://h/"))
	for n := 0; n < whole; n += whole / 7 {
		w := &fullAfter{room: n}
		if err := Join(w, Full, top, versions, "http://h/"); !errors.Is(err, errFull) || w.after > 0 {
			t.Errorf("full after %d of %d bytes: %v, and %d writes after that", n, whole, err, w.after)
		}
	}
}

var errFull = errors.New("full")

type fullAfter struct {
	room, after int
	failed      bool
}

func (w *fullAfter) Write(p []byte) (int, error) {
	if w.failed {
		w.after++
	}
	if w.room -= len(p); w.room < 0 {
		w.failed = true
		return 0, errFull
	}
	return len(p), nil
}

// packumentOf makes a package of n versions, each as large as versions on the public registry are in the median (about 2 KB).
func packumentOf(n int) (Top, []Version) {
	var versions []Version
	for i := range n {
		v := fmt.Sprintf("%d.%d.%d", i/100, i/10%10, i%10)
		f := fragment(v)
		f.JSON = append(bytes.TrimSuffix(f.JSON, []byte("}")), `,"x":"`+strings.Repeat("x", 2000)+`"}`...)
		versions = append(versions, Version{v, at("2026-01-01T00:00:00Z").Add(time.Duration(i) * time.Hour), f})
	}
	return Top{Name: "@acme/ui", Revision: "1", DistTags: map[string]string{"latest": "0.0.0"}, Page: []byte(`"license":"MIT"`)}, versions
}

func BenchmarkJoin(b *testing.B) {
	for _, n := range []int{3, 100, 1600} {
		top, versions := packumentOf(n)
		for form, name := range map[Form]string{Full: "full", Short: "short"} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(join(b, form, top, versions, "http://localhost:3000/"))))
				for b.Loop() {
					if err := Join(io.Discard, form, top, versions, "http://localhost:3000/"); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
