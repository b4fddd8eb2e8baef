package watch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// follow watches path, calls change, and waits until the change was told.
func follow(t *testing.T, path string, change func()) {
	t.Helper()
	w, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	var reads Reads
	_, _ = reads.ReadFile(path)
	w.Watch(&reads)
	change()
	select {
	case <-w.Changed():
	case <-time.After(time.Minute):
		t.Fatal("the change was not told")
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestChangesOfEveryKindAreTold(t *testing.T) {
	tests := []struct {
		name   string
		change func(path string) error
	}{
		{"written in place", func(path string) error { return os.WriteFile(path, []byte("b"), 0o600) }},
		{"replaced by a rename", func(path string) error {
			return errors.Join(os.WriteFile(path+".new", []byte("b"), 0o600), os.Rename(path+".new", path))
		}},
		{"removed", os.Remove},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "relay.yaml")
			write(t, path, "a")
			follow(t, path, func() {
				if err := tt.change(path); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func TestAMissingFileThatAppearsIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	follow(t, path, func() { write(t, path, "a") })
}

func TestASwapOfAConfigMapIsTold(t *testing.T) {
	dir := t.TempDir()
	swap := func(n int) {
		version := fmt.Sprintf("..version_%d", n)
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, version, "relay.yaml"), fmt.Sprint(n))
		tmp := filepath.Join(dir, "..data_tmp")
		if err := os.Symlink(version, tmp); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tmp, filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	swap(1)
	path := filepath.Join(dir, "relay.yaml")
	if err := os.Symlink("..data/relay.yaml", path); err != nil {
		t.Fatal(err)
	}
	follow(t, path, func() { swap(2) })
}

func TestAChangeBeforeTheWatchIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.yaml")
	write(t, path, "a")
	var reads Reads
	_, _ = reads.ReadFile(path)
	write(t, path, "b")
	w, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	w.Watch(&reads)
	select {
	case <-w.Changed():
	default:
		t.Error("the change was not told")
	}
}

func TestATouchIsNoChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.yaml")
	write(t, path, "a")
	var reads Reads
	_, _ = reads.ReadFile(path)
	write(t, path, "a")
	if reads.Changed() {
		t.Error("a file with the same content counts as changed")
	}
}

func TestWithoutNotificationsFilesArePolled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "relay.yaml")
		write(t, path, "a")
		w := start(nil, nil)
		defer func() { _ = w.Close() }()
		var reads Reads
		_, _ = reads.ReadFile(path)
		w.Watch(&reads)
		write(t, path, "b")
		began := time.Now()
		<-w.Changed()
		if took := time.Since(began); took != poll {
			t.Errorf("told after %s, want %s", took, poll)
		}
	})
}

// TestAChangeIsToldOnce: whoever reads the files anew takes his time, and a
// second message would have him do it twice.
func TestAChangeIsToldOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.yaml")
	write(t, path, "0")
	synctest.Test(t, func(t *testing.T) {
		w := start(nil, nil)
		defer func() { _ = w.Close() }()
		for i := range 3 {
			var reads Reads
			_, _ = reads.ReadFile(path)
			w.Watch(&reads)
			write(t, path, fmt.Sprint(i+1))
			<-w.Changed()
			<-time.After(3 * poll)
			select {
			case <-w.Changed():
				t.Errorf("change %d was told twice", i)
			default:
			}
		}
	})
}
