// Package watch tells when files have changed. It looks at what they hold, not
// at their times: an editor's rename, a ConfigMap's swap of the ..data link
// and a write in place are all the same to it, and a touch is none.
//
// It does not read configuration and does not know why a file matters.
package watch

import (
	"crypto/sha256"
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
	// systems that give none (NFS, some FUSE mounts).
	poll = 10 * time.Second
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
	notify  *fsnotify.Watcher
	changed chan struct{}
	stop    chan struct{}
	done    chan struct{}

	mu    sync.Mutex
	reads *Reads
}

// New starts a watcher of no files. Stop it with Close.
func New() (*Watcher, error) {
	n, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	w := &Watcher{
		notify:  n,
		changed: make(chan struct{}, 1),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
		reads:   &Reads{},
	}
	go w.run()
	return w, nil
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
	return w.notify.Close()
}

func (w *Watcher) run() {
	defer close(w.done)
	timer := time.NewTimer(poll)
	defer timer.Stop()
	for {
		select {
		case <-w.stop:
			return
		case _ = <-w.notify.Errors: // lost events: the poll finds what they told
		case <-w.notify.Events:
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
