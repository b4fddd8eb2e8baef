// Package watch tells when files have changed. It looks at what they hold, not
// at their times: an editor's rename, a ConfigMap's swap of the ..data link
// and a write in place are all the same to it, and a touch is none.
//
// It does not read configuration and does not know why a file matters. It does
// not watch what can be read only once: pipes, devices and sockets.
package watch

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// quiet is how long a directory has to be quiet before its files are looked
	// at, so that a file that is being written is read once, whole.
	quiet = 50 * time.Millisecond

	// patience is how long a directory that is never quiet can put that off,
	// counted from the first event that came since the last look: a log that is
	// written in the same directory must not hide a revoked key. A reload a
	// second costs little, and half a file is refused and read again.
	patience = time.Second

	// poll is how often the files are looked at without any event, for file
	// systems that give none (NFS, some FUSE mounts) and for machines whose
	// inotify instances are used up (128 for a user by default on Linux).
	poll = 5 * time.Second
)

// A Sum is a digest of a file's content; the zero Sum is a file that could not
// be read.
type Sum [sha256.Size]byte

// Reads notes which files were read and what they held. The zero Reads is
// ready to use, and safe for concurrent use.
type Reads struct {
	mu   sync.Mutex
	sums map[string]Sum
}

// ReadFile reads a file as [os.ReadFile] does and notes it, missing or not. A
// pipe, such as /dev/stdin, is not noted: it would be empty the second time.
func (r *Reads) ReadFile(path string) ([]byte, error) {
	if !lasting(path) {
		return os.ReadFile(path)
	}
	b, err := os.ReadFile(path)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sums == nil {
		r.sums = map[string]Sum{}
	}
	r.sums[path] = sum(b, err)
	return b, err
}

// lasting reports whether path can be read again: it is a file, a directory or
// nothing yet, at the end of whatever links.
func lasting(path string) bool {
	info, err := os.Stat(path)
	return err != nil || info.Mode().IsRegular() || info.IsDir()
}

func sum(b []byte, err error) Sum {
	if err != nil {
		return Sum{}
	}
	return sha256.Sum256(b)
}

// Changed reports whether any of the files now holds something else. A pipe in
// the place of a file is not read, for that could take for ever.
func (r *Reads) Changed() bool {
	for path, was := range r.snapshot() {
		if lasting(path) && sum(os.ReadFile(path)) != was {
			return true
		}
	}
	return false
}

func (r *Reads) snapshot() map[string]Sum {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.sums)
}

// A Watcher watches the files of the latest Reads that it was given.
type Watcher struct {
	notify  *fsnotify.Watcher // nil where there is none: poll alone
	changed chan struct{}
	stop    chan struct{}
	done    chan struct{}

	mu    sync.Mutex
	reads *Reads
	told  bool // that these have changed
}

// New starts a watcher of no files. Stop it with Close. The error says why
// changes are not told at once, but within some seconds; the watcher works
// all the same.
func New() (*Watcher, error) {
	n, err := fsnotify.NewWatcher()
	if err != nil {
		return start(nil, nil), fmt.Errorf("watching files: looking every %s only: %w", poll, err)
	}
	w := start(n.Events, n.Errors)
	w.notify = n
	return w, nil
}

// Poll starts a watcher that is told of nothing and looks every few seconds.
func Poll() *Watcher { return start(nil, nil) }

// start starts a watcher that is told of events by the channels, nil for none.
func start(events <-chan fsnotify.Event, errs <-chan error) *Watcher {
	w := &Watcher{
		changed: make(chan struct{}, 1),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
		reads:   &Reads{},
	}
	go w.run(events, errs)
	return w
}

// Changed receives a value when a watched file holds something else than when
// it was read. Watch again, with new Reads, before the next is sent.
func (w *Watcher) Changed() <-chan struct{} { return w.changed }

// Watch watches the files of reads in place of those before. A change that
// came between the reading and this call is told too.
func (w *Watcher) Watch(reads *Reads) {
	w.mu.Lock()
	w.reads, w.told = reads, false
	w.mu.Unlock()
	for path := range reads.snapshot() {
		if w.notify == nil {
			break
		}
		// The directory, not the file: a file that is replaced takes its watch
		// with it. One that cannot be watched is still polled.
		_ = w.notify.Add(filepath.Dir(path))
	}
	w.look()
}

// Close stops the watcher.
func (w *Watcher) Close() error {
	close(w.stop)
	<-w.done
	if w.notify == nil {
		return nil
	}
	return w.notify.Close()
}

func (w *Watcher) run(events <-chan fsnotify.Event, errs <-chan error) {
	defer close(w.done)
	poller := time.NewTicker(poll)
	defer poller.Stop()
	settled := time.NewTimer(quiet)
	settled.Stop()      // until there is an event
	var first time.Time // of the events since the last look; zero if there is none
	for {
		select {
		case <-w.stop:
			return
		case <-errs: //nolint:errcheck // lost events: the poll finds what they told
		case <-events:
			if first.IsZero() {
				first = time.Now()
			}
			if time.Since(first) < patience {
				settled.Reset(quiet)
			}
		case <-settled.C:
			first = time.Time{}
			w.look()
		case <-poller.C:
			w.look()
		}
	}
}

// look tells, once, that the files have changed: while somebody reads them anew,
// the next event or poll finds the same change.
func (w *Watcher) look() {
	w.mu.Lock()
	reads, told := w.reads, w.told
	w.mu.Unlock()
	if told || !reads.Changed() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.told || w.reads != reads {
		return
	}
	w.told = true
	select {
	case w.changed <- struct{}{}:
	default:
	}
}
