package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/holysheep/relay/internal/credential"
)

func (p process) keyCommand() *cli.Command {
	return &cli.Command{
		Name: "key", Usage: "make a key for the client NAME", ArgsUsage: "NAME",
		Description: "The key goes to standard error, once; what the relay stores, its hash, to standard output:\n" +
			"relay key team-a >> keys.yaml, for plugins.auth.keys_file or plugins.auth.clients.",
		Action: p.key,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "id", Usage: "name the key `ID` among the client's keys (default: today's date)"},
			&cli.StringFlag{Name: "group", Usage: "put the client into `GROUP`"},
			&cli.StringSliceFlag{Name: "model", Usage: "let the client use models that fit `GLOB` only; may be repeated"},
			&cli.DurationFlag{Name: "expires", Usage: "let the key expire after `TIME`, such as 2160h"},
		},
	}
}

// key makes a key and prints it, and its hash as YAML.
func (p process) key(_ context.Context, c *cli.Command) error {
	if c.Args().Len() != 1 || c.Args().First() == "" {
		return errors.New("key: name one client, such as: relay key team-a")
	}
	key, now := credential.New(rand.Reader), time.Now().UTC()
	id := c.String("id")
	if id == "" {
		id = now.Format(time.DateOnly)
	}
	_, _ = fmt.Fprintf(p.stderr, "%s\n", key)
	y := "clients:\n  " + strconv.Quote(c.Args().First()) + ":\n"
	if g := c.String("group"); g != "" {
		y += "    group: " + strconv.Quote(g) + "\n"
	}
	if models := c.StringSlice("model"); len(models) > 0 {
		y += "    models:\n"
		for _, m := range models {
			y += "      - " + strconv.Quote(m) + "\n"
		}
	}
	y += "    keys:\n      " + strconv.Quote(id) + ":\n        sha256: " + credential.Hash(key) + "\n"
	if d := c.Duration("expires"); d > 0 {
		y += "        expires: " + now.Add(d).Format(time.RFC3339) + "\n"
	}
	_, err := p.stdout.Write([]byte(y))
	return err
}
