package redistest

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	stopSignal   = syscall.SIGSTOP
	resumeSignal = syscall.SIGCONT
)

// process is a redis-server that runs.
type process struct {
	cmd   *exec.Cmd
	guard *guard
	done  chan struct{} // closed when it has ended
}

// launch starts a redis-server and returns when it accepts connections. taken
// is whether it could not, because another program has its port.
func launch(t testing.TB, args []string) (p *process, taken bool) {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatalf("%v: this test needs a real Redis: run make redis, or install redis-server yourself, "+
			"such as by: apt-get install redis-server", err)
	}
	cmd := exec.Command(path, args...)
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, in
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p = &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended says nothing: tests kill it
		_ = in.Close()
		close(p.done)
	}()
	p.guard = watchOver(t, cmd.Process.Pid)
	text, ready := p.read(out)
	if ready {
		return p, false
	}
	p.kill()
	if strings.Contains(text, "Address already in use") {
		return nil, true
	}
	t.Fatalf("redis-server did not start:\n%s", text)
	return nil, false
}

// read reads what the server says until it is ready, and has what follows read
// and dropped. ready is false if it ended, or was not ready in time; text is
// what it said.
func (p *process) read(out io.Reader) (text string, ready bool) {
	timeout := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer timeout.Stop()
	defer func() { go func() { _, _ = io.Copy(io.Discard, out) }() }() // ends with the process
	var said strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		line := lines.Text()
		fmt.Fprintln(&said, line)
		// The second is Sentinel's.
		if strings.Contains(line, "Ready to accept connections") || strings.Contains(line, "+monitor master") {
			return said.String(), true
		}
	}
	return said.String(), false
}

func (p *process) signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("%v: %v", s, err)
	}
}

// kill ends the process at once, paused or not.
func (p *process) kill() {
	p.guard.end()
	_ = p.cmd.Process.Kill()
	<-p.done
}

// stop asks the process to end.
func (p *process) stop(t testing.TB) {
	t.Helper()
	p.signal(t, syscall.SIGTERM)
	select {
	case <-p.done:
		p.guard.end()
	case <-time.After(patience):
		p.kill()
		t.Fatal("redis-server did not end when it was asked to")
	}
}

// guard kills a process when this one ends without having done so, as after a
// panic or a test's time limit.
type guard struct {
	cmd  *exec.Cmd
	in   io.Closer
	once sync.Once
}

// watchOver starts the guard of the process: it waits for the end of its input,
// which comes with the end of this process however that ends.
func watchOver(t testing.TB, pid int) *guard {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", `read -r word || kill -9 "$1"`, "sh", strconv.Itoa(pid))
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return &guard{cmd: cmd, in: in}
}

// end takes the guard away, before its process is gone and the number is
// another's.
func (g *guard) end() {
	g.once.Do(func() {
		_ = g.cmd.Process.Kill()
		_ = g.cmd.Wait()
		_ = g.in.Close()
	})
}

// Ports are looked for below those that systems give to outgoing connections
// (from 32768 by default on Linux), so that one stays free for a restart.
const firstPort, lastPort = 15000, 30000

func freePort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort) //nolint:gosec // no secret
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("found no free port")
	return 0
}
