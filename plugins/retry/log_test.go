package retry

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins/plugintest"
)

func TestFailuresThatNobodySeesAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		env := plugintest.Env(t, nil)
		env.Log = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
			Level: slog.LevelDebug,
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			},
		}))
		up := upstream().Then(fails(errRefused)).Then(says(503)).Then(says(500))
		link := plugintest.Link[Settings](t, Plugin, env, nil)
		res, err := link.Fetch(pool(up, "a", "b")).RoundTrip(plugintest.Request(t, "{}"))
		if err != nil {
			t.Fatal(err)
		}
		status(res)
		want := []string{
			`level=DEBUG msg="asking again" request_id=req-test upstream=a err="connection refused"`,
			`level=DEBUG msg="asking again" request_id=req-test upstream=b status=503`,
		}
		if diff := cmp.Diff(strings.Split(strings.TrimSpace(out.String()), "\n"), want); diff != "" {
			t.Errorf("log (-got +want):\n%s", diff)
		}
	})
}
