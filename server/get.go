package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
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
			return p.get(ctx, c.Args().First(), c.Duration("timeout"))
		},
	}
}

// get prints the body of url's answer, whatever its status.
func (p process) get(ctx context.Context, url string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("get: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("get: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(p.stdout, res.Body); err != nil {
		return fmt.Errorf("get: %w", err)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("get: %s", res.Status)
	}
	return nil
}
