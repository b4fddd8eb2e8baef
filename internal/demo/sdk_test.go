package demo

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// client returns the official SDK in front of a demo upstream that wants a key.
func client(t *testing.T) (*Server, openai.Client) {
	t.Helper()
	s, url := start(t, Options{Key: "k"})
	return s, openai.NewClient(option.WithBaseURL(url), option.WithAPIKey("k"), option.WithMaxRetries(0))
}

func params(text string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    "gpt-4o",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("be brief"), openai.UserMessage(text)},
	}
}

func TestSDKChat(t *testing.T) {
	_, c := client(t)
	p := params("hello big world")
	p.N = openai.Int(2)
	p.MaxTokens = openai.Int(5)
	res, err := c.Chat.Completions.New(patient(t), p)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, choice := range res.Choices {
		got = append(got, choice.Message.Content+"|"+choice.FinishReason)
	}
	if diff := cmp.Diff(got, []string{"You said: hello big world|stop", "You said (2): hello big|length"}); diff != "" {
		t.Errorf("choices (-got +want):\n%s", diff)
	}
	if u := res.Usage; u.PromptTokens != 5 || u.CompletionTokens != 10 || u.TotalTokens != 15 {
		t.Errorf("usage = %d + %d = %d, want 5 + 10 = 15", u.PromptTokens, u.CompletionTokens, u.TotalTokens)
	}
}

func TestSDKChatStream(t *testing.T) {
	s, c := client(t)
	p := params("hello big world")
	p.StreamOptions.IncludeUsage = openai.Bool(true)
	stream := c.Chat.Completions.NewStreaming(patient(t), p)
	var acc openai.ChatCompletionAccumulator
	for stream.Next() {
		if !acc.AddChunk(stream.Current()) {
			t.Errorf("a chunk does not fit: %s", stream.Current().RawJSON())
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if got, want := acc.Choices[0].Message.Content, "You said: hello big world"; got != want {
		t.Errorf("text = %q, want %q", got, want)
	}
	if got := acc.Usage.TotalTokens; got != 10 {
		t.Errorf("total tokens = %d, want 10", got)
	}
	rec, err := s.Books().Await(patient(t), 1, func(r Record) bool { return r.State.Ended() })
	if err != nil || rec.State != Done || rec.Model != "gpt-4o" || !rec.Stream || rec.Events != 9 {
		t.Errorf("record = %+v, %v", rec, err)
	}
}

func TestSDKCompletions(t *testing.T) {
	_, c := client(t)
	p := openai.CompletionNewParams{Model: "gpt-4o", Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String("hello")}}
	res, err := c.Completions.New(patient(t), p)
	if err != nil || res.Choices[0].Text != "You said: hello" {
		t.Fatalf("completion = %+v, %v", res, err)
	}
	stream := c.Completions.NewStreaming(patient(t), p)
	text := ""
	for stream.Next() {
		text += stream.Current().Choices[0].Text
	}
	if text != "You said: hello" || stream.Err() != nil {
		t.Errorf("streamed = %q, %v", text, stream.Err())
	}
}

func TestSDKEmbeddings(t *testing.T) {
	_, c := client(t)
	p := openai.EmbeddingNewParams{
		Model:      "text-embedding-3-small",
		Input:      openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"a", "b c"}},
		Dimensions: openai.Int(8),
	}
	floats, err := c.Embeddings.New(patient(t), p)
	if err != nil {
		t.Fatal(err)
	}
	p.EncodingFormat = openai.EmbeddingNewParamsEncodingFormatBase64
	encoded, err := c.Embeddings.New(patient(t), p)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range floats.Data {
		want := e.Embedding
		got := decode(t, encoded.Data[i].JSON.Embedding.Raw())
		if diff := cmp.Diff(got, want); diff != "" || len(want) != 8 {
			t.Errorf("base64 of %d dimensions (-got +want):\n%s", len(want), diff)
		}
		if square := dot(want, want); math.Abs(square-1) > 1e-6 {
			t.Errorf("length squared = %g, want 1", square)
		}
	}
	if cmp.Equal(floats.Data[0].Embedding, floats.Data[1].Embedding) || floats.Usage.PromptTokens != 3 {
		t.Errorf("two inputs of %d words have the same vector", floats.Usage.PromptTokens)
	}
}

// decode returns the numbers in a JSON string of base64.
func decode(t *testing.T, raw string) []float64 {
	t.Helper()
	var text string
	if err := json.Unmarshal([]byte(raw), &text); err != nil {
		t.Fatal(err)
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	var v []float64
	for ; len(b) >= 4; b = b[4:] {
		f := math.Float32frombits(binary.LittleEndian.Uint32(b))
		// JSON holds the shortest digits of a float32, read back as a float64.
		digits, _ := json.Marshal(f)
		var wide float64
		_ = json.Unmarshal(digits, &wide)
		v = append(v, wide)
	}
	return v
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func TestSDKModels(t *testing.T) {
	_, c := client(t)
	list, err := c.Models.List(patient(t))
	if err != nil || len(list.Data) == 0 {
		t.Fatalf("models = %v, %v", list, err)
	}
	m, err := c.Models.Get(patient(t), "gpt-4o")
	if err != nil || m.ID != "gpt-4o" {
		t.Errorf("model = %+v, %v", m, err)
	}
	_, err = c.Models.Get(patient(t), "gpt-0")
	var e *openai.Error
	if !errors.As(err, &e) || e.StatusCode != 404 || e.Code != "model_not_found" {
		t.Errorf("error = %v, want 404 model_not_found", err)
	}
}

func TestSDKWithAWrongKey(t *testing.T) {
	_, url := start(t, Options{Key: "k"})
	c := openai.NewClient(option.WithBaseURL(url), option.WithAPIKey("wrong"))
	_, err := c.Models.List(patient(t))
	var e *openai.Error
	if !errors.As(err, &e) || e.StatusCode != 401 || e.Code != "invalid_api_key" || strings.Contains(err.Error(), "wrong") {
		t.Errorf("error = %v, want 401 invalid_api_key without the key", err)
	}
}

func TestSDKAudio(t *testing.T) {
	_, c := client(t)
	res, err := c.Audio.Transcriptions.New(patient(t), openai.AudioTranscriptionNewParams{
		Model: "whisper-1",
		File:  openai.File(strings.NewReader("abc"), "a.wav", "audio/wav"),
	})
	const want = "You sent a.wav: 3 bytes, SHA-256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad."
	if err != nil || res.Text != want {
		t.Errorf("transcript = %v, %v, want %q", res, err, want)
	}
	out, err := c.Audio.Speech.New(patient(t), openai.AudioSpeechNewParams{Model: "tts-1", Input: "one two three", Voice: openai.AudioSpeechNewParamsVoiceUnion{OfString: openai.String("alloy")}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Body.Close() }()
	b, err := io.ReadAll(out.Body)
	if err != nil || len(b) != 3*pieceBytes || out.ContentLength != -1 || out.Header.Get("Content-Type") != "audio/mpeg" {
		t.Errorf("speech = %d bytes of %q, length %d, %v", len(b), out.Header.Get("Content-Type"), out.ContentLength, err)
	}
}

func TestSDKImagesAndModerations(t *testing.T) {
	_, c := client(t)
	pictures, err := c.Images.Generate(patient(t), openai.ImageGenerateParams{Prompt: "a cat", N: openai.Int(2)})
	if err != nil || len(pictures.Data) != 2 || !strings.HasPrefix(pictures.Data[0].B64JSON, "iVBOR") {
		t.Errorf("images = %+v, %v", pictures, err)
	}
	verdict, err := c.Moderations.New(patient(t), openai.ModerationNewParams{
		Input: openai.ModerationNewParamsInputUnion{OfStringArray: []string{"peace", "violence"}},
	})
	if err != nil || verdict.Results[0].Flagged || !verdict.Results[1].Flagged || !verdict.Results[1].Categories.Violence {
		t.Errorf("moderations = %+v, %v", verdict, err)
	}
}
