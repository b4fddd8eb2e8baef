package plugins_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/holysheep/relay/plugins"
)

func TestChainCheck(t *testing.T) {
	serve := plugins.Link{Serve: func(next echo.HandlerFunc) echo.HandlerFunc { return next }}
	fetch := plugins.Link{Fetch: func(next http.RoundTripper) http.RoundTripper { return next }}
	both := plugins.Link{Serve: serve.Serve, Fetch: fetch.Fetch}
	admin := plugins.Link{Admin: http.NotFoundHandler()}
	shares, charges := plugins.Link{Fetch: fetch.Fetch, Shares: true}, plugins.Link{Fetch: fetch.Fetch, Charges: true}
	tests := []struct {
		name  string
		chain plugins.Chain
		names string
		want  string
	}{
		{name: "an empty chain"},
		{name: "client before upstream", chain: plugins.Chain{serve, admin, fetch, admin, fetch}, names: "auth admin limit other retry"},
		{
			name: "upstream before client", chain: plugins.Chain{fetch, serve}, names: "retry auth",
			want: "chain: auth faces the client, so it must come before retry",
		},
		{
			name: "the outermost is named", chain: plugins.Chain{fetch, fetch, serve}, names: "cache retry auth",
			want: "chain: auth faces the client, so it must come before cache",
		},
		{
			name: "every problem is named", chain: plugins.Chain{fetch, serve, serve}, names: "retry cors auth",
			want: "chain: cors faces the client, so it must come before retry\nchain: auth faces the client, so it must come before retry",
		},
		{name: "charging outside of sharing", chain: plugins.Chain{charges, shares, fetch}, names: "limit cache retry"},
		{
			name: "sharing outside of charging", chain: plugins.Chain{shares, fetch, charges}, names: "cache retry limit",
			want: "chain: cache gives clients the answers that others have asked for, and limit inside of it would count them " +
				"for who asked first: put limit before cache, or set scope: client there",
		},
		{name: "the last with a Serve has both", chain: plugins.Chain{serve, both, fetch}, names: "auth limit retry"},
		{
			name: "client after both", chain: plugins.Chain{both, serve}, names: "limit auth",
			want: "chain: auth faces the client, so it must come before limit",
		},
		{
			name: "both after upstream", chain: plugins.Chain{fetch, both}, names: "retry limit",
			want: "chain: limit faces the client, so it must come before retry",
		},
		{
			name: "two with both", chain: plugins.Chain{both, both}, names: "limit guard",
			want: "chain: limit and guard both face client and upstream: only one such plugin fits in a chain",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := tt.chain.Check(strings.Fields(tt.names)); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("Check = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestChainStartsAndCloses(t *testing.T) {
	var did []string
	broken := errors.New("broken")
	link := func(name string, err error) plugins.Link {
		return plugins.Link{
			Start: func() { did = append(did, "start "+name) },
			Close: func(context.Context) error { did = append(did, "close "+name); return err },
		}
	}
	chain := plugins.Chain{link("a", nil), {}, link("b", broken), link("c", context.Canceled)}
	chain.Start()
	err := chain.Close(t.Context())
	if !errors.Is(err, broken) || !errors.Is(err, context.Canceled) {
		t.Errorf("Close = %v, want both errors", err)
	}
	if want := []string{"start a", "start b", "start c", "close a", "close b", "close c"}; !slices.Equal(did, want) {
		t.Errorf("the chain did %q, want %q", did, want)
	}
}
