package server

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/redis/go-redis/v9/logging"

	"github.com/holysheep/relay/plugins"
)

// version is set when a release is built: -ldflags "-X …/server.version=1.2.3".
var version string

// Main is the relay as a program with the given plugins. It does not return:
// it is the only place that ends the process or listens for signals.
func Main(known ...plugins.Plugin) {
	// net/http writes to it what it could not read, which may be an answer.
	log.SetOutput(io.Discard)
	// go-redis writes to standard error in a form of its own; what goes wrong is
	// told by metrics and by whoever asked.
	logging.Disable()
	// The client of Redis tells of connections, in lines that are no log of ours;
	// who asked gets the error, and the metrics count it.
	logging.Disable()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the process at once
	}()
	p := process{
		args: os.Args, environ: os.Environ(), hangup: hangup,
		stdout: os.Stdout, stderr: os.Stderr, plugins: known,
	}
	if err := p.run(ctx); err != nil {
		os.Exit(1)
	}
}

// A process is what a program gets from its surroundings, so that tests can
// run one without any.
type process struct {
	args    []string
	environ []string
	hangup  <-chan os.Signal // asks for a reload
	stdout  io.Writer
	stderr  io.Writer
	plugins []plugins.Plugin
}

// run runs the command line. An error has been printed.
func (p process) run(ctx context.Context) error {
	err := p.commands().Run(ctx, p.args)
	if err != nil {
		for _, problem := range problems(err) {
			_, _ = fmt.Fprintf(p.stderr, "relay: %v\n", problem)
		}
	}
	return err
}

// build returns the version of this build: the release's, or what Go knows of
// the commit it was built from.
func build() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
