package demo

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
)

func responseParams(text string) responses.ResponseNewParams {
	return responses.ResponseNewParams{
		Model: "gpt-4o",
		Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(text)},
	}
}

func TestSDKResponse(t *testing.T) {
	_, c := client(t)
	p := responseParams("hello big world")
	res, err := c.Responses.New(patient(t), p)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := res.OutputText(), "You said: hello big world"; got != want || res.Status != "completed" || res.Usage.TotalTokens != 8 {
		t.Errorf("response = %q, %s, %d tokens, want %q", got, res.Status, res.Usage.TotalTokens, want)
	}
	p.MaxOutputTokens = openai.Int(3)
	res, err = c.Responses.New(patient(t), p)
	if err != nil || res.Status != "incomplete" || res.IncompleteDetails.Reason != "max_output_tokens" {
		t.Errorf("response = %s, %+v, %v, want incomplete", res.Status, res.IncompleteDetails, err)
	}
}

func TestSDKResponseOfMessages(t *testing.T) {
	_, c := client(t)
	p := responseParams("")
	p.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: responses.ResponseInputParam{
		responses.ResponseInputItemParamOfMessage("be brief", responses.EasyInputMessageRoleSystem),
		responses.ResponseInputItemParamOfMessage(responses.ResponseInputMessageContentListParam{
			responses.ResponseInputContentParamOfInputText("hello"),
		}, responses.EasyInputMessageRoleUser),
	}}
	res, err := c.Responses.New(patient(t), p)
	if err != nil || res.OutputText() != "You said: hello" || res.Usage.InputTokens != 3 {
		t.Errorf("response = %v, %v", res, err)
	}
}

func TestSDKResponseStream(t *testing.T) {
	_, c := client(t)
	stream := c.Responses.NewStreaming(patient(t), responseParams("hello"))
	var got []string
	text := ""
	for stream.Next() {
		e := stream.Current()
		if int(e.SequenceNumber) != len(got) {
			t.Errorf("%s has number %d, want %d", e.Type, e.SequenceNumber, len(got))
		}
		got = append(got, e.Type)
		switch e := e.AsAny().(type) {
		case responses.ResponseTextDeltaEvent:
			text += e.Delta
		case responses.ResponseCompletedEvent:
			if e.Response.OutputText() != text || text != "You said: hello" {
				t.Errorf("deltas = %q, response = %q", text, e.Response.OutputText())
			}
		}
	}
	want := []string{
		"response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
		"response.output_text.delta", "response.output_text.delta", "response.output_text.delta",
		"response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed",
	}
	if diff := cmp.Diff(got, want); diff != "" || stream.Err() != nil {
		t.Errorf("error %v, events (-got +want):\n%s", stream.Err(), diff)
	}
}

func TestSDKResponseStreamThatFails(t *testing.T) {
	_, c := client(t)
	stream := c.Responses.NewStreaming(patient(t), responseParams("hello"),
		option.WithHeader("X-Demo-Error-Event", "1"), option.WithHeader("X-Demo-Code", "server_error"))
	var last responses.ResponseStreamEventUnion
	for stream.Next() {
		last = stream.Current()
	}
	if last.Type != "error" || last.Code != "server_error" || last.SequenceNumber != 1 {
		t.Errorf("last event = %+v, %v", last, stream.Err())
	}
}
