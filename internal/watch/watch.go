// Package watch tells when files have changed. It looks at what they hold, not
// at their times: an editor's rename, a ConfigMap's swap of the ..data link
// and a write in place are all the same to it, and a touch is none.
//
// It does not read configuration and does not know why a file matters.
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

// ReadFile reads a file as [os.ReadFile] does and notes it, missing or not.
func (r *Reads) ReadFile(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sums == nil {
		r.sums = map[string]Sum{}
	}
	r.sums[path] = sum(b, err)
	return b, err
}

func sum(b []byte, err error) Sum {
	if err != nil {
		return Sum{}
	}
	return sha256.Sum256(b)
}

// Changed reports whether any of the files now holds something else.
func (r *Reads) Changed() bool {
	for path, was := range r.snapshot() {
		if sum(os.ReadFile(path)) != was {
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
}

// New starts a watcher of no files. Stop it with Close. The error says why
// changes are not told at once, but within some seconds; the watcher works
// all the same.
func New() (*Watcher, error) {
	n, err := fsnotify.NewWatcher()
	if err != nil {
		n, err = nil, fmt.Errorf("watching files: looking every %s only: %w", poll, err)
	}
	w := start(n)
	return w, err
}

func start(n *fsnotify.Watcher) *Watcher {
	w := &Watcher{
		notify:  n,
		changed: make(chan struct{}, 1),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
		reads:   &Reads{},
	}
	go w.run()
	return w
}

// Changed receives a value when a watched file holds something else than when
// it was read. Watch again, with new Reads, before the next is sent.
func (w *Watcher) Changed() <-chan struct{} { return w.changed }

// Watch watches the files of reads in place of those before. A change that
// came between the reading and this call is told too.
func (w *Watcher) Watch(reads *Reads) {
	w.mu.Lock()
	w.reads = reads
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

func (w *Watcher) run() {
	defer close(w.done)
	timer := time.NewTimer(poll)
	defer timer.Stop()
	var events chan fsnotify.Event // none
	var errs chan error
	if w.notify != nil {
		events, errs = w.notify.Events, w.notify.Errors
	}
	for {
		select {
		case <-w.stop:
			return
		case <-errs: //nolint:errcheck // lost events: the poll finds what they told
		case <-events:
			timer.Reset(quiet)
		case <-timer.C:
			w.look()
			timer.Reset(poll)
		}
	}
}

func (w *Watcher) look() {
	w.mu.Lock()
	reads := w.reads
	w.mu.Unlock()
	if !reads.Changed() {
		return
	}
	select {
	case w.changed <- struct{}{}:
	default:
	}
}
