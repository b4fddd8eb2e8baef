package shelf

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// polling is how often a shelf asks which purges there were.
	polling = time.Second

	// logged is about how many purges the log in Redis holds, and for how long.
	logged   = 1000
	loggedAt = 24 * time.Hour
)

// logKey is the stream of purges.
func (s *Shelf) logKey() string { return s.options.Prefix + "cache:purges" }

// tell writes a purge to the log.
func (s *Shelf) tell(ctx context.Context, w What) error {
	pipe := s.options.Redis.Pipeline()
	pipe.XAdd(ctx, &redis.XAddArgs{Stream: s.logKey(), MaxLen: logged, Approx: true, Values: []string{"what", w.text(), "by", s.token}})
	pipe.PExpire(ctx, s.logKey(), loggedAt)
	_, err := pipe.Exec(ctx)
	return err
}

// text returns w as the log has it.
func (w What) text() string {
	var parts [3]string
	if w.Tenant != nil {
		parts[0] = hex.EncodeToString(w.Tenant[:])
	}
	if w.Model != nil {
		parts[1] = hex.EncodeToString(w.Model[:])
	}
	if w.ID != nil {
		parts[2] = hex.EncodeToString(w.ID[:])
	}
	return strings.Join(parts[:], " ")
}

// readWhat reads what text has written, false if it is something else.
func readWhat(text string) (w What, ok bool) {
	parts := strings.Split(text, " ")
	if len(parts) != 3 {
		return w, false
	}
	var raw [3][]byte
	for i, p := range parts {
		b, err := hex.DecodeString(p)
		if err != nil || len(b) != 0 && len(b) != []int{8, 4, 8}[i] {
			return w, false
		}
		raw[i] = b
	}
	if len(raw[0]) > 0 {
		w.Tenant = (*[8]byte)(raw[0])
	}
	if len(raw[1]) > 0 {
		w.Model = (*[4]byte)(raw[1])
	}
	if len(raw[2]) > 0 {
		w.ID = (*[8]byte)(raw[2])
	}
	return w, true
}

// listen learns of the purges of others until the shelf is closed.
func (s *Shelf) listen() {
	l := listener{shelf: s}
	tick := time.NewTicker(polling)
	defer tick.Stop()
	for i := 0; ; i++ {
		l.poll()
		if i%looking == 0 && s.Up() {
			s.watchCrowd()
		}
		select {
		case <-s.ended.Done():
			return
		case <-tick.C:
		}
	}
}

// A listener reads the log of purges.
type listener struct {
	shelf *Shelf
	last  string    // the entry up to which it has read; "" before it has read anything
	at    time.Time // when it has
}

// poll reads what is new.
func (l *listener) poll() {
	s := l.shelf
	var entries []redis.XMessage
	ok := s.do(s.ended, "purge", func(ctx context.Context) (err error) {
		if l.last == "" {
			entries, err = s.options.Redis.XRevRangeN(ctx, s.logKey(), "+", "-", 1).Result()
			return err
		}
		streams, err := s.options.Redis.XRead(ctx, &redis.XReadArgs{
			Streams: []string{s.logKey(), l.last}, Count: 2 * logged, Block: -1,
		}).Result()
		if len(streams) > 0 {
			entries = streams[0].Messages
		}
		if errors.Is(err, redis.Nil) {
			err = nil
		}
		return err
	})
	if !ok {
		return
	}
	if l.last == "" {
		l.last = "0"
		if len(entries) > 0 {
			l.last = entries[0].ID
		}
	} else {
		l.apply(entries)
	}
	l.at = s.options.Now()
	s.listening.Store(true)
}

// apply does what the entries say. Where the log cannot hold all that there was,
// everything in memory is dropped.
func (l *listener) apply(entries []redis.XMessage) {
	s := l.shelf
	if s.options.Now().Sub(l.at) > loggedAt/2 || len(entries) >= logged {
		s.options.Log.Warn("purges may have been missed while redis was away: the answers in memory are dropped")
		s.forget(What{})
	}
	for _, e := range entries {
		l.last = e.ID
		if e.Values["by"] == s.token {
			continue // it is done here
		}
		text, _ := e.Values["what"].(string)
		if w, ok := readWhat(text); ok {
			s.forget(w)
		}
	}
}
