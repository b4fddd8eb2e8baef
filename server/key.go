package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v3"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/plugins"
)

func (p process) keyCommand() *cli.Command {
	return &cli.Command{
		Name: "key", Usage: "make a key for the client NAME", ArgsUsage: "NAME",
		Description: "The key is printed once. With --into it goes to standard output, and what the relay stores of it,\n" +
			"its hash, to FILE, the one of plugins.auth.keys_file. Without, nothing is stored: the key goes to\n" +
			"standard error, and its hash to standard output, as YAML to put under plugins.auth.",
		Action: p.key,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "into", Usage: "add the hash to `FILE`, which is made if it is not there"},
			&cli.StringFlag{Name: "id", Usage: "name the key `ID` among the client's keys (default: today's date)"},
			&cli.StringFlag{Name: "group", Usage: "put the client into `GROUP`"},
			&cli.StringSliceFlag{Name: "model", Usage: "let the key use models that fit `GLOB` only; may be repeated"},
			&cli.DurationFlag{Name: "expires", Usage: "let the key expire after `TIME`, such as 2160h"},
		},
	}
}

// key makes a key and prints it, and stores its hash in the file of --into, or
// prints that too, apart from the key.
func (p process) key(_ context.Context, c *cli.Command) error {
	if c.Args().Len() != 1 || c.Args().First() == "" {
		return errors.New("key: name one client, such as: relay key team-a")
	}
	key, now := credential.New(rand.Reader), time.Now().UTC()
	id := c.String("id")
	if id == "" {
		id = now.Format(time.DateOnly)
	}
	stored, err := entryOf(c, key, now)
	if err != nil {
		return err
	}
	doc, err := readKeyFile(c.String("into"))
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	if err := doc.add(c.Args().First(), c.String("group"), id, stored); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	if err := p.storeKey(c.String("into"), doc); err != nil {
		return under("key", err)
	}
	out := p.stdout
	if c.String("into") == "" { // the hash stands there
		out = p.stderr
	}
	_, err = fmt.Fprintln(out, key)
	return err
}

// entryOf returns what the file holds of the key.
func entryOf(c *cli.Command, key string, now time.Time) (map[string]any, error) {
	stored := map[string]any{"sha256": credential.Hash(key)}
	if models := c.StringSlice("model"); len(models) > 0 {
		stored["models"] = models
	}
	if c.IsSet("expires") {
		d := c.Duration("expires")
		if d <= 0 { // which must not be for ever
			return nil, fmt.Errorf("key: expires: %s is not above 0s", d)
		}
		stored["expires"] = now.Add(d).Truncate(time.Second)
	}
	return stored, nil
}

// storeKey writes the document to the file, at once and as a whole, or to
// standard output if there is no file. What the plugin auth refuses is not
// written: a relay that runs would refuse to load it.
func (p process) storeKey(path string, doc *keyFile) error {
	text, err := doc.text()
	if err != nil {
		return err
	}
	if err := p.tryKeys(text); err != nil {
		return err
	}
	if path == "" {
		_, err = p.stdout.Write(text)
		return err
	}
	mode := fs.FileMode(0o600)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm() // the relay may read it as another user
	}
	if err := os.WriteFile(path+".new", text, mode); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// tryKeys builds the plugin auth, if this program has it, with text as its file
// of keys and nothing else, and throws it away.
func (p process) tryKeys(text []byte) error {
	const name, setting = "auth", "keys_file"
	i := slices.IndexFunc(p.plugins, func(one plugins.Plugin) bool { return one.Name() == name })
	if i < 0 {
		return nil
	}
	auth := p.plugins[i]
	settings, err := auth.Decode(func(s any) error {
		d, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{Result: s, TagName: "koanf", ErrorUnused: true})
		if err != nil {
			return err
		}
		return d.Decode(map[string]any{setting: setting})
	})
	if err != nil {
		return fmt.Errorf("the plugin %s of this program has no %s", name, setting)
	}
	link, err := auth.Build(settings, scratch(text))
	if err != nil {
		var refused []error
		for _, problem := range problems(err) {
			// The setting, and the path that it was given above.
			refused = append(refused, errors.New(strings.TrimPrefix(problem.Error(), setting+": "+setting+": ")))
		}
		return errors.Join(refused...)
	}
	return plugins.Chain{link}.Close(context.Background())
}

// scratch is what is lent to a plugin that is thrown away: every file holds the
// text.
func scratch(text []byte) plugins.Env {
	return plugins.Env{
		Log:       slog.New(slog.DiscardHandler),
		Metrics:   prometheus.NewRegistry(),
		Now:       time.Now,
		LookupEnv: func(string) (string, bool) { return "", false },
		ReadFile:  func(string) ([]byte, error) { return text, nil },
		Keep:      func(_ string, create func() (any, error)) (any, error) { return create() },
	}
}
