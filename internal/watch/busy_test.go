package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

// disturb sends an event every so often until the test ends: somebody writes a
// log in the same directory.
func disturb(t *testing.T, events chan<- fsnotify.Event, every time.Duration) {
	t.Helper()
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	go func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
			}
			select {
			case <-stop:
				return
			case events <- fsnotify.Event{Name: "busy.log", Op: fsnotify.Write}:
			}
		}
	}()
}

func TestABusyDirectoryDoesNotHideChanges(t *testing.T) {
	tests := []struct {
		name  string
		every time.Duration
		most  time.Duration
	}{
		{"events closer than the quiet that is waited for", quiet / 3, 2 * patience},
		{"events of which each is looked at", 2 * quiet, 4 * quiet},
		{"events just before every poll", poll - quiet/2, poll + quiet},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "relay.yaml")
				events := make(chan fsnotify.Event)
				w := start(events, nil)
				defer func() { _ = w.Close() }()
				disturb(t, events, tt.every)
				for n := range 3 { // a second change is told as well as the first
					write(t, path, fmt.Sprint(n))
					var reads Reads
					_, _ = reads.ReadFile(path)
					w.Watch(&reads)
					write(t, path, "changed")
					began := time.Now()
					select {
					case <-w.Changed():
					case <-time.After(time.Hour):
						t.Fatal("the change was not told")
					}
					if took := time.Since(began); took > tt.most {
						t.Errorf("told after %s, want %s at most", took, tt.most)
					}
				}
			})
		})
	}
}

// pipe returns the path of a pipe that holds text and ends.
func pipe(t *testing.T, text string) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	if _, err := w.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("/dev/fd/%d", r.Fd())
}

func TestAPipeIsReadOnce(t *testing.T) {
	path := pipe(t, "a")
	var reads Reads
	if got, err := reads.ReadFile(path); string(got) != "a" || err != nil {
		t.Fatalf("got %q, %v, want what the pipe held", got, err)
	}
	if reads.Changed() {
		t.Error("a pipe that was read counts as changed")
	}
}

func TestAPipeInTheFilesPlaceIsNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.yaml")
	write(t, path, "a")
	var reads Reads
	_, _ = reads.ReadFile(path)
	other := pipe(t, "b")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(other, path); err != nil {
		t.Fatal(err)
	}
	if reads.Changed() {
		t.Error("a pipe in the file's place counts as changed")
	}
	if got, err := os.ReadFile(other); string(got) != "b" || err != nil {
		t.Errorf("the pipe holds %q, %v, want it unread", got, err)
	}
}
