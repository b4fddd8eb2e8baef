package demo

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// asked returns the body of an answer to a POST at path, which does not begin
// with /v1.
func asked(t *testing.T, path, body string, headers ...string) string {
	t.Helper()
	_, url := start(t, Options{Now: epoch})
	text, err := read(t, do(t, request(t, strings.TrimSuffix(url, "/v1")+path, body, headers...)))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestMessages(t *testing.T) {
	const want = `{"id":"msg-demo-1","type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"You said: hello big world"}],` +
		`"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":5}}`
	if diff := cmp.Diff(asked(t, "/v1/messages", messageBody), want); diff != "" {
		t.Errorf("message (-got +want):\n%s", diff)
	}
	short := strings.Replace(messageBody, `"max_tokens":9`, `"max_tokens":2`, 1)
	if got := asked(t, "/v1/messages", short); !strings.Contains(got, `"text":"You said:"`) || !strings.Contains(got, `"stop_reason":"max_tokens"`) {
		t.Errorf("message = %s, want two tokens and that they were cut", got)
	}
	if got, want := asked(t, "/v1/messages/count_tokens", messageBody), `{"input_tokens":5}`; got != want {
		t.Errorf("count = %s, want %s", got, want)
	}
}

func TestMessageStream(t *testing.T) {
	const (
		begin = `event: message_start
data: {"type":"message_start","message":{"id":"msg-demo-1","type":"message","role":"assistant","model":"claude","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: ping
data: {"type":"ping"}

`
		first = `event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"You"}}

`
		second = `event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" said:"}}

`
		end = `event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"max_tokens","stop_sequence":null},"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":2}}

event: message_stop
data: {"type":"message_stop"}

`
		failed = `event: error
data: {"type":"error","error":{"type":"api_error","message":"demo: an error in the stream was asked for"}}

`
	)
	body := strings.Replace(messageBody, `"max_tokens":9`, `"max_tokens":2,"stream":true`, 1)
	tests := []struct {
		name    string
		headers []string
		want    string
	}{
		{"whole", nil, begin + first + second + end},
		{"an error first", []string{"X-Demo-Error-Event: 0"}, failed},
		{"an error later", []string{"X-Demo-Error-Event: 4", "X-Demo-Code: overloaded_error"}, begin + first + strings.Replace(failed, "api_error", "overloaded_error", 1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(asked(t, "/v1/messages", body, tt.headers...), tt.want); diff != "" {
				t.Errorf("stream (-got +want):\n%s", diff)
			}
		})
	}
}
