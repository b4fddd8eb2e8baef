package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// getTimeout is how long a probe may take: less than a kubelet's patience.
const getTimeout = 5 * time.Second

func (p process) getCommand() *cli.Command {
	return &cli.Command{
		Name: "get", Usage: "print what URL answers; exit 1 unless it is a success", ArgsUsage: "URL",
		Description: "A client for probes and operators in an image without a shell:\n" +
			"kubectl exec POD -- /relay get http://127.0.0.1:9090/ready",
		Flags: []cli.Flag{&cli.DurationFlag{Name: "timeout", Value: getTimeout, Usage: "give up after `TIME`"}},
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Args().Len() != 1 {
				return errors.New("get: name one URL, such as http://127.0.0.1:9090/ready")
			}
			if err := fetch(ctx, p.stdout, c.Args().First(), c.Duration("timeout")); err != nil {
				return fmt.Errorf("get: %w", err)
			}
			return nil
		},
	}
}

// live prints the configuration of the relay whose admin listener is at the URL
// base, which may lack its scheme.
func (p process) live(ctx context.Context, base string) error {
	if !strings.Contains(base, "://") {
		base = "http://" + base
	}
	var config bytes.Buffer // what is none is not printed
	if err := fetch(ctx, &config, strings.TrimRight(base, "/")+"/config", getTimeout); err != nil {
		return fmt.Errorf("explain: %w: give the admin listener's URL, such as http://127.0.0.1:9090", err)
	}
	_, err := config.WriteTo(p.stdout)
	return err
}

// fetch writes the body of url's answer to w, whatever its status.
func fetch(ctx context.Context, w io.Writer, url string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(w, res.Body); err != nil {
		return err
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return errors.New(res.Status)
	}
	return nil
}
