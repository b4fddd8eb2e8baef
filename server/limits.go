package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/server/config"
)

// limitsTimeout is how long a relay may take to tell its counters, of which it
// may have many thousands.
const limitsTimeout = 10 * time.Second

func (p process) limitsCommand(file cli.Flag) *cli.Command {
	return &cli.Command{
		Name: "limits", Usage: "print the live counters of a running relay, or reset some", ArgsUsage: "[CLIENT]",
		Description: "The relay is asked on its admin listener, which the configuration names. With CLIENT the counters\n" +
			"are all those by which that client goes. --reset sets those of a rule to nothing taken, and prints how\n" +
			"they stood; it needs the token that admin_token_file or admin_token_env of the configuration names.",
		Action: p.limits,
		Flags: []cli.Flag{
			file,
			&cli.StringFlag{Name: "live", Usage: "ask the relay whose admin listener is at `URL`, such as http://127.0.0.1:9090"},
			&cli.StringFlag{Name: "reset", Usage: "reset the counters of `RULE`, of CLIENT where it counts clients apart"},
			&cli.StringFlag{Name: "kind", Usage: "reset one `KIND` alone, such as requests, tokens, in_flight or budget"},
			&cli.StringFlag{Name: "model", Usage: "of one `MODEL`, where the rule counts models apart"},
			&cli.StringFlag{Name: "group", Usage: "of one `GROUP` of clients, where the rule counts groups apart"},
			&cli.StringFlag{Name: "header", Usage: "of one `VALUE` of its header, where the rule counts those apart"},
		},
	}
}

// limits prints the counters that the command line asks for.
func (p process) limits(ctx context.Context, c *cli.Command) error {
	q, err := limitsQuery(c)
	if err != nil {
		return fmt.Errorf("limits: %w", err)
	}
	base, token, err := p.adminOf(c)
	if err != nil {
		return under("limits", err)
	}
	method := http.MethodGet
	if c.IsSet("reset") {
		method = http.MethodDelete
	}
	body, err := askAdmin(ctx, method, base+"/limits?"+q.Encode(), token)
	if err != nil {
		return fmt.Errorf("limits: %w", err)
	}
	table, err := limitsTable(body)
	if err != nil {
		return fmt.Errorf("limits: %s answers something else: %w", base, err)
	}
	_, err = io.WriteString(p.stdout, table)
	return err
}

// limitsQuery returns what the relay is asked.
func limitsQuery(c *cli.Command) (url.Values, error) {
	if c.Args().Len() > 1 {
		return nil, errors.New("name one client at most")
	}
	q := url.Values{}
	if c.Args().Present() {
		q.Set("client", c.Args().First())
	}
	for key, flag := range map[string]string{"rule": "reset", "kind": "kind", "model": "model", "group": "group", "header": "header"} {
		if c.IsSet(flag) {
			q.Set(key, c.String(flag))
		}
	}
	if c.IsSet("kind") && !c.IsSet("reset") {
		return nil, errors.New("--kind goes with --reset only")
	}
	return q, nil
}

// adminOf returns the URL of the admin listener, without a last slash, and the
// token by which something can be changed there, if that is to be.
func (p process) adminOf(c *cli.Command) (base, token string, err error) {
	base = strings.TrimRight(c.String("live"), "/")
	if base != "" && !strings.Contains(base, "://") {
		base = "http://" + base
	}
	if base != "" && !c.IsSet("reset") {
		return base, "", nil
	}
	loaded, err := config.Load(config.Source{Path: p.file(c), Environ: p.environ, ReadFile: os.ReadFile}, p.plugins)
	if base != "" && p.file(c) == "" && (err != nil || loaded.Config.AdminTokenEnv+loaded.Config.AdminTokenFile == "") {
		return "", "", errors.New("--reset needs a token, and takes it from where admin_token_env or admin_token_file of the configuration says: " +
			"no --config was given")
	}
	if err != nil {
		return "", "", err
	}
	if base == "" {
		if base, err = adminURL(loaded.Config.Admin); err != nil {
			return "", "", err
		}
	}
	if c.IsSet("reset") {
		token, err = p.adminToken(&loaded.Config)
	}
	return base, token, err
}

// adminURL returns the URL of the admin listener at the address, for whoever is
// on the same machine.
func adminURL(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "0" {
		return "", fmt.Errorf("admin: %s names no port: give the admin listener's URL by --live", address)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

// adminToken returns the token that the configuration names.
func (p process) adminToken(c *config.Config) (string, error) {
	if c.AdminTokenEnv == "" && c.AdminTokenFile == "" {
		return "", errors.New("--reset needs a token, and the configuration names none: " +
			"set admin_token_file or admin_token_env, for the relay too")
	}
	vars := environ(p.environ)
	env := plugins.Env{
		LookupEnv: func(name string) (string, bool) { v, ok := vars[name]; return v, ok },
		ReadFile:  os.ReadFile,
	}
	token, err := env.Secret(c.AdminTokenEnv, c.AdminTokenFile)
	if err != nil {
		return "", fmt.Errorf("admin token: %w", err)
	}
	return token, nil
}

// askAdmin returns what the admin listener answers at the URL. An error is what
// people can act on.
func askAdmin(ctx context.Context, method, at, token string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limitsTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, at, nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("no relay answers: is it running, and is this its admin listener? %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode == http.StatusOK {
		return body, err
	}
	var refusal struct {
		Error struct{ Message, Code string }
	}
	_ = json.Unmarshal(body, &refusal) // else there is no message
	switch {
	case res.StatusCode == http.StatusNotFound:
		return nil, fmt.Errorf("%s has no /limits: give the URL of the admin listener of a relay with limit in its chain", req.URL.Host)
	case refusal.Error.Message != "":
		return nil, errors.New(refusal.Error.Message)
	}
	return nil, errors.New(res.Status)
}
