package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
	"go.yaml.in/yaml/v3"

	"github.com/holysheep/relay/internal/credential"
)

func (p process) keyCommand() *cli.Command {
	return &cli.Command{
		Name: "key", Usage: "make a key for the client NAME", ArgsUsage: "NAME",
		Description: "The key goes to standard error, once. What the relay stores, its hash, goes to standard output as\n" +
			"YAML for plugins.auth.clients, or with --into to the file of plugins.auth.keys_file.",
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

// key makes a key and prints it, and stores its hash as YAML.
func (p process) key(_ context.Context, c *cli.Command) error {
	if c.Args().Len() != 1 || c.Args().First() == "" {
		return errors.New("key: name one client, such as: relay key team-a")
	}
	key, now := credential.New(rand.Reader), time.Now().UTC()
	id := c.String("id")
	if id == "" {
		id = now.Format(time.DateOnly)
	}
	if err := checkNames(c.Args().First(), id, c.String("group")); err != nil {
		return err
	}
	stored := map[string]any{"sha256": credential.Hash(key)}
	if models := c.StringSlice("model"); len(models) > 0 {
		stored["models"] = models
	}
	if d := c.Duration("expires"); d > 0 {
		stored["expires"] = now.Add(d).Truncate(time.Second)
	}
	doc, err := keyFile(c.String("into"))
	if err != nil {
		return err
	}
	if err := doc.add(c.Args().First(), c.String("group"), id, stored); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	if err := p.storeKey(c.String("into"), doc); err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stderr, key)
	return err
}

// checkNames refuses what the plugin auth would refuse in its file. The name is
// not repeated: it may be a key.
func checkNames(names ...string) error {
	for _, name := range names {
		if name != "" && (!regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$`).MatchString(name) || strings.HasPrefix(name, "sk-")) {
			return errors.New("key: a name has 1 to 63 letters, digits and . _ @ -, and begins with a letter or digit, but not with sk-")
		}
	}
	return nil
}

// storeKey writes the document to the file, at once and as a whole, or to
// standard output if there is no file.
func (p process) storeKey(path string, doc keys) error {
	text, err := yaml.Marshal(doc)
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	if path == "" {
		_, err = p.stdout.Write(text)
		return err
	}
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	return os.Rename(path+".new", path)
}

// keys is a file of clients, as the plugin auth reads it. What this command
// does not know of stays as it is.
type keys map[string]any

// keyFile reads the clients of a file, none if there is no such file.
func keyFile(path string) (keys, error) {
	if path == "" {
		return keys{}, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return keys{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	doc := keys{}
	if yaml.Unmarshal(text, &doc) != nil {
		return nil, fmt.Errorf("key: %s is not YAML", path) // whose error could show a key
	}
	return doc, nil
}

// add adds a key to the client, who is made if need be.
func (k keys) add(client, group, id string, stored map[string]any) error {
	clients, err := child(k, "clients")
	if err != nil {
		return err
	}
	one, err := child(clients, client)
	if err != nil {
		return err
	}
	if group != "" {
		one["group"] = group
	}
	all, err := child(one, "keys")
	if err != nil {
		return err
	}
	if _, ok := all[id]; ok {
		return fmt.Errorf("the client %q has a key named %q already: name this one by --id", client, id)
	}
	all[id] = stored
	return nil
}

// child returns the map under the name, which is made if need be.
func child(in map[string]any, name string) (map[string]any, error) {
	switch v := in[name].(type) {
	case nil:
		m := map[string]any{}
		in[name] = m
		return m, nil
	case map[string]any:
		return v, nil
	case keys:
		return v, nil
	}
	return nil, fmt.Errorf("%q is not a map", name)
}
