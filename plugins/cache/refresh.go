package cache

import (
	"context"
	"net/http"
	"time"
)

// refreshing bounds how long an answer may take that nobody waits for: it is
// longer than any answer takes that is short enough to be stored.
const refreshing = 10 * time.Minute

// refresh has the answer to q asked for in the background, unless somebody is
// asking for it.
func (t *transport) refresh(req *http.Request, q *question) {
	if t.board.has(q.place.Key) {
		return
	}
	f, err := t.launch(req, q)
	if err != nil {
		return // the next one may
	}
	f.lone = true
	if t.board.add(f, nil) != f {
		f.stop()
		return
	}
	t.metrics.refreshes.Inc()
	unwatch := context.AfterFunc(t.ended, f.stop)
	limit := time.AfterFunc(refreshing, f.stop)
	t.work.Go(func() {
		defer unwatch()
		defer limit.Stop()
		f.run()
	})
}
