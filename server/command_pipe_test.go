package server

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestCheckReadsAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	wrote := make(chan error, 1)
	go func() { // once: a second reading would find nothing
		wrote <- os.WriteFile(pipe, []byte("listen: 127.0.0.1:0\nchain: [retry]\nupstreams: {a: {base_url: http://127.0.0.1:9/v1}}\n"), 0)
	}()
	var stdout, stderr bytes.Buffer
	p := process{args: []string{"relay", "check", "--config", pipe}, stdout: &stdout, stderr: &stderr, plugins: builtin()}
	if err := p.run(t.Context()); err != nil || !strings.HasSuffix(stdout.String(), "ok\n") {
		t.Errorf("%v, printed %q and %q, want ok", err, stdout.String(), stderr.String())
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}
