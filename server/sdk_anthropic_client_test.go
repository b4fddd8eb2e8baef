package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/anthropics/anthropic-sdk-go/v2"
	"github.com/anthropics/anthropic-sdk-go/v2/option"

	"github.com/holysheep/relay/internal/demo"
)

// newNative starts a relay with the configuration, in which UPSTREAM stands for
// the path base of a demo upstream that wants its key.
func newNative(t testing.TB, config, base string) *sdk {
	t.Helper()
	r := &running{Demo: demo.New(demo.Options{Key: upstreamKey}), Log: &logs{}}
	s := &sdk{running: r, sent: &tape{}, served: &ledger{next: r.Demo}}
	up := httptest.NewServer(s.served)
	t.Cleanup(up.Close)
	r.start(t, config, up.URL+base)
	return s
}

// anthropicUpstream is the upstream of a configuration that speaks Anthropic's
// API alone.
const anthropicUpstream = `
upstreams: {claude: {base_url: UPSTREAM, api_key_env: UPSTREAM_KEY, wires: [anthropic], auth: x-api-key}}
`

// A claude is Anthropic's official client, unmodified, in front of a relay.
type claude struct {
	*sdk
	Anthropic anthropic.Client
}

func newClaude(t testing.TB, config string, more ...option.RequestOption) *claude {
	t.Helper()
	s := newNative(t, config, "/v1")
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	return &claude{s, anthropic.NewClient(append([]option.RequestOption{
		option.WithBaseURL(s.URL), option.WithAPIKey(clientKey),
		option.WithHTTPClient(client), option.WithMiddleware(s.sent.record),
	}, more...)...)}
}

// toClaude is a message to a model.
func toClaude(text string) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{
		Model: "claude-sonnet-4-5", MaxTokens: 100,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(text))},
	}
}

// streamed is what a program learns from a stream, which ends with err.
func (c *claude) streamed(t *testing.T, text string, more ...option.RequestOption) (m anthropic.Message, err error) {
	t.Helper()
	stream := c.Anthropic.Messages.NewStreaming(t.Context(), toClaude(text), more...)
	defer func() { _ = stream.Close() }()
	for stream.Next() {
		if err := m.Accumulate(stream.Current()); err != nil {
			t.Errorf("an event does not fit: %v", err)
		}
	}
	return m, stream.Err()
}

// textOf returns the text of a message, as far as it has come.
func textOf(m anthropic.Message) string {
	text := ""
	for _, block := range m.Content {
		text += block.Text
	}
	return text
}

// claudeError returns err as Anthropic's SDK types it. The code is the relay's,
// "" in an error of the upstream.
func claudeError(t *testing.T, err error) typed {
	t.Helper()
	var e *anthropic.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v is no *anthropic.Error", err)
	}
	var body struct{ Error struct{ Code string } }
	if err := json.Unmarshal([]byte(e.RawJSON()), &body); err != nil {
		t.Errorf("the error's body is no JSON: %q", e.RawJSON())
	}
	return typed{e.StatusCode, string(e.Type()), body.Error.Code, e.Message}
}
