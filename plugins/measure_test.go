package plugins

import (
	"bytes"
	"encoding/base64"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
)

// measured returns what a call measures of a body, of which so much was seen.
func measured(t testing.TB, contentType string, body []byte, seen int) Measure {
	t.Helper()
	req := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", bytes.NewReader(body))
	req.Header.Set("Content-Type", contentType)
	req.GetBody = func() (io.ReadCloser, error) {
		// Whoever reads beyond what was seen waits for the client.
		rest := iotest.ErrReader(io.ErrNoProgress)
		return io.NopCloser(io.MultiReader(bytes.NewReader(body[:seen]), rest)), nil
	}
	return NewCall("", func() Ask { return ReadAsk(req, body[:seen], seen == len(body)) }).Measure(req)
}

// picture returns so many bytes of base64.
func picture(n int) string {
	raw := make([]byte, n*3/4+3)
	_, _ = rand.NewChaCha8([32]byte{}).Read(raw)
	return base64.StdEncoding.EncodeToString(raw)[:n]
}

func TestAMeasureTellsTextFromMedia(t *testing.T) {
	long := picture(5000)
	broken := long[:2000] + `\n` + long[2000:4000] + `\/` + long[4000:4996]
	for _, tt := range []struct {
		name, body string
		media      int64
		files      int
	}{
		{"words", `{"messages":[{"content":"` + strings.Repeat("wool on sheep, ", 500) + `"}]}`, 0, 0},
		{"a long word", `{"input":"` + strings.Repeat("a", minRun-1) + ` b"}`, 0, 0},
		{"an image", `{"url":"data:image/png;base64,` + long + `"}`, 1, 5000},
		{"the shortest", `{"data":"` + long[:minRun] + `"}`, 1, minRun},
		{"three", `{"a":"` + long + `","b":"` + long[:600] + `","c":"` + long + `","text":"b"}`, 3, 10600},
		{"escaped slashes and lines", `{"data":"` + broken + `"}`, 1, 5000},
		{"an image across pieces", `{"text":"` + strings.Repeat("wool ", 1600) + `","data":"` + strings.Repeat(long, 10) + `"}`, 1, 50000},
		{"the alphabet of URLs", `{"data":"` + strings.NewReplacer("+", "-", "/", "_").Replace(long) + `"}`, 1, 5000},
		{"an image to the end", long, 1, 5000},
		{"an escaped text to the end", strings.Repeat(`\u7f8a`, 200), 0, 0},
		{"Chinese", `{"content":"` + strings.Repeat("羊毛", 500) + `"}`, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := measured(t, "application/json", []byte(tt.body), len(tt.body))
			escapes := strings.Count(tt.body, `\u`) * escapeExtra
			want := Measure{Text: int64(len(tt.body) - tt.files - escapes), Media: tt.media, Files: int64(tt.files)}
			if got != want {
				t.Errorf("measured %+v, want %+v", got, want)
			}
		})
	}
}

func TestAnEscapedTextIsAsLongAsItsCharacters(t *testing.T) {
	plain := `{"content":"` + strings.Repeat("羊毛", 3000) + `"}`
	escaped := `{"content":"` + strings.Repeat(`\u7f8a\u6bdb`, 3000) + `"}`
	want := measured(t, "application/json", []byte(plain), len(plain))
	got := measured(t, "application/json", []byte(escaped), len(escaped))
	// An escape that two pieces share counts as it is.
	if got.Media != 0 || got.Text < want.Text || got.Text > want.Text+4*5*escapeExtra {
		t.Errorf("escaped it is %+v, in UTF-8 %+v", got, want)
	}
}

func TestTheRestOfALongBodyIsOfTheSameKind(t *testing.T) {
	words := `{"content":"` + strings.Repeat("wool ", 4000)
	image := `{"content":"` + picture(20000)
	for _, tt := range []struct {
		name, body string
		want       Measure
	}{
		{"words", words, Measure{Text: int64(len(words))}},
		{"an image", image, Measure{Text: 12, Media: 1, Files: 20000}},
	} {
		if got := measured(t, "application/json", []byte(tt.body), 9000); got != tt.want {
			t.Errorf("%s: measured %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestTheFilesOfAForm(t *testing.T) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	_ = w.WriteField("model", "whisper-1")
	_ = w.WriteField("prompt", strings.Repeat("wool ", 100))
	file, _ := w.CreateFormFile("file", "sheep.mp3")
	_, _ = file.Write(bytes.Repeat([]byte("\x00\xff\r\n"), 2500))
	_ = w.Close()
	size := int64(form.Len())
	for _, tt := range []struct {
		name string
		seen int
		want Measure
	}{
		{"whole", form.Len(), Measure{Text: size - 10000, Media: 1, Files: 10000}},
		{"cut in the file", form.Len() - 5000, Measure{Text: size - 10000, Media: 1, Files: 10000}},
		{"cut before it", 100, Measure{Text: size}},
	} {
		got := measured(t, w.FormDataContentType(), form.Bytes(), tt.seen)
		// What is behind an unseen file is taken for more of it.
		if got.Media != tt.want.Media || got.Text+got.Files != size || got.Files < tt.want.Files || got.Files > tt.want.Files+200 {
			t.Errorf("%s: measured %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestBodiesThatAreNoText(t *testing.T) {
	body := []byte(strings.Repeat("wool ", 20))
	for _, tt := range []struct {
		name, key, value string
		want             Measure
	}{
		{"a recording", "Content-Type", "audio/mpeg", Measure{Media: 1, Files: 100}},
		{"compressed", "Content-Encoding", "gzip", Measure{Packed: 100}},
		{"nobody says", "Content-Type", "", Measure{Text: 100}},
	} {
		req := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		req.Header.Set(tt.key, tt.value)
		if got := CallOf(req.Context()).Measure(req); got != tt.want {
			t.Errorf("%s: measured %+v, want %+v", tt.name, got, tt.want)
		}
	}
	none := httptest.NewRequest(http.MethodGet, "/", nil)
	if got := CallOf(none.Context()).Measure(none); got != (Measure{}) {
		t.Errorf("without a body it measured %+v", got)
	}
	gone := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	gone.GetBody = func() (io.ReadCloser, error) { return nil, ErrBodyGone }
	call := NewCall("", func() Ask { return ReadAsk(gone, body[:50], false) })
	if got := call.Measure(gone); got != (Measure{Text: 100}) {
		t.Errorf("of a body that has passed it measured %+v, want its length", got)
	}
}

func TestTheTokensOfAMeasure(t *testing.T) {
	for _, tt := range []struct {
		name    string
		measure Measure
		want    int64
	}{
		{"text, rounded up", Measure{Text: 9}, 3},
		{"a medium is so many", Measure{Media: 2, Files: 5000}, 2000},
		{"but no more than its bytes", Measure{Media: 2, Files: 1500}, 1500},
		{"what is compressed", Measure{Packed: 70}, 70},
		{"nothing", Measure{}, 0},
	} {
		if got := tt.measure.Tokens(4, 1000); got != tt.want {
			t.Errorf("%s: %d tokens, want %d", tt.name, got, tt.want)
		}
	}
}

func FuzzMeasure(f *testing.F) {
	f.Add(`{"a":"b"}`, "application/json", 5, byte(4), uint32(1000))
	f.Add(picture(1000)+`\u00e9 `+picture(600), "application/json", 1200, byte(1), uint32(10))
	f.Add("--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\nabc\r\n--b--\r\n", "multipart/form-data; boundary=b", 80, byte(16), uint32(1))
	f.Fuzz(func(t *testing.T, body, kind string, seen int, perToken byte, media uint32) {
		seen = min(max(seen, 0), len(body))
		m := measured(t, kind, []byte(body), seen)
		if m.Text < 0 || m.Files < 0 || m.Media < 0 || m.Text+m.Files+m.Packed > int64(len(body)) {
			t.Errorf("measured %+v of %d bytes", m, len(body))
		}
		if got := m.Tokens(max(int64(perToken), 1), int64(media)); got < 0 || got > int64(len(body)) {
			t.Errorf("%d tokens of %d bytes: %+v", got, len(body), m)
		}
	})
}

func BenchmarkMeasure(b *testing.B) {
	for name, body := range map[string]string{
		"words": `{"content":"` + strings.Repeat("The sheep has wool.\\n", 5000) + `"}`,
		"image": `{"content":"` + picture(100_000) + `"}`,
	} {
		b.Run(name, func(b *testing.B) {
			req := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(body))
			req.Header.Set("Content-Type", "application/json")
			req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil }
			ask := ReadAsk(req, []byte(body), true)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				measureBody(req, ask)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(float64(len(body))/1024), "ns/KiB")
		})
	}
}
