package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/holysheep/relay/internal/watch"
	"github.com/holysheep/relay/server/config"
)

// commands is the command line of the relay.
func (p process) commands() *cli.Command {
	root := p.root()
	for _, c := range append(root.Commands, root) {
		c.OnUsageError = func(_ context.Context, c *cli.Command, err error, _ bool) error {
			return fmt.Errorf("%w: see %s --help", err, c.FullName())
		}
	}
	return root
}

func (p process) root() *cli.Command {
	file := &cli.StringFlag{
		Name: "config", Aliases: []string{"c"}, Usage: "read the configuration from `FILE` (default: $" + config.FileVariable + ")",
	}
	return &cli.Command{
		Name:                            "relay",
		Usage:                           "a relay for LLM APIs",
		Version:                         build(),
		HideVersion:                     true,
		Writer:                          p.stdout,
		ErrWriter:                       p.stderr,
		ExitErrHandler:                  func(context.Context, *cli.Command, error) {}, // run prints, Main exits
		DisableSliceFlagSeparator:       true,
		Suggest:                         true,
		EnableShellCompletion:           true,
		ConfigureShellCompletionCommand: func(c *cli.Command) { c.Hidden = false },
		Action:                          p.help,
		Commands: []*cli.Command{
			{
				Name: "serve", Usage: "relay requests until SIGTERM; SIGHUP reloads", Action: p.serve,
				Flags: []cli.Flag{file, &cli.BoolFlag{
					Name: "demo", Usage: "relay to a built-in upstream with made-up answers, in place of all others",
				}},
			},
			{Name: "check", Usage: "list everything that is wrong with the configuration", Action: p.check, Flags: []cli.Flag{file}},
			{
				Name: "explain", Usage: "print the effective configuration and where each value comes from", Action: p.explain,
				Flags: []cli.Flag{file, &cli.StringFlag{
					Name: "live", Usage: "ask the relay whose admin listener is at `URL`, such as http://127.0.0.1:9090",
				}},
			},
			p.keyCommand(),
			p.limitsCommand(file),
			{Name: "schema", Usage: "print the JSON schema of the configuration", Action: p.schema},
			p.getCommand(),
			{Name: "version", Usage: "print the version", Action: p.version},
		},
	}
}

// help answers a command line without a command that exists.
func (p process) help(_ context.Context, c *cli.Command) error {
	if name := c.Args().First(); name != "" {
		return fmt.Errorf("unknown command %q: see relay help", name)
	}
	return cli.ShowAppHelp(c)
}

// load reads the configuration that a command was given.
func (p process) load(c *cli.Command) (*config.Loaded, error) {
	if err := noArguments(c); err != nil {
		return nil, err
	}
	return config.Load(config.Source{
		Path: p.file(c), Environ: p.environ, ReadFile: os.ReadFile,
	}, p.plugins)
}

// file returns the path of the configuration that a command was given, "" for
// none.
func (p process) file(c *cli.Command) string {
	if c.IsSet("config") {
		return c.String("config")
	}
	return environ(p.environ)[config.FileVariable]
}

// check builds everything that the configuration names, and throws it away:
// keys that cannot be read and chains in the wrong order are found so.
func (p process) check(ctx context.Context, c *cli.Command) error {
	if err := noArguments(c); err != nil {
		return err
	}
	s, _ := empty(p.options(c))
	defer func() { _ = s.watcher.Close() }()
	reads := &watch.Reads{}
	loaded, err := s.read(reads)
	if loaded == nil {
		return err
	}
	for _, w := range loaded.Warnings {
		_, _ = fmt.Fprintln(p.stdout, "warning:", w)
	}
	s.log = slog.New(slog.DiscardHandler)
	g, err := s.build(loaded, err, reads)
	if err != nil {
		return err
	}
	if err := g.close(ctx); err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, "ok")
	return err
}

func (p process) explain(ctx context.Context, c *cli.Command) error {
	if url := c.String("live"); url != "" {
		return p.live(ctx, url)
	}
	loaded, err := p.load(c)
	if err != nil {
		return err
	}
	return loaded.Explain(p.stdout)
}

func (p process) schema(_ context.Context, c *cli.Command) error {
	if err := noArguments(c); err != nil {
		return err
	}
	b, err := config.Schema(p.plugins)
	if err != nil {
		return err
	}
	_, err = p.stdout.Write(b)
	return err
}

func (p process) version(context.Context, *cli.Command) error {
	_, err := fmt.Fprintln(p.stdout, build())
	return err
}

func noArguments(c *cli.Command) error {
	if c.Args().Present() {
		return errors.New(c.Name + ": unexpected argument: the file is named by --config")
	}
	return nil
}
