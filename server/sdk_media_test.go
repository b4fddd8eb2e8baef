package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"

	"github.com/holysheep/relay/server/upstream"
)

func TestSDKEmbeddings(t *testing.T) {
	s := newSDK(t, whole)
	vectors := map[openai.EmbeddingNewParamsEncodingFormat][]openai.Embedding{}
	for _, format := range []openai.EmbeddingNewParamsEncodingFormat{"", openai.EmbeddingNewParamsEncodingFormatBase64} {
		answer, err := s.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
			Model:          openai.EmbeddingModelTextEmbedding3Small,
			Input:          openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"wool", "milk"}},
			EncodingFormat: format,
		})
		if err != nil {
			t.Fatalf("encoding_format %q: %v", format, err)
		}
		if len(answer.Data) != 2 || len(answer.Data[1].Embedding) != 1536 {
			t.Fatalf("encoding_format %q: %d vectors, want 2 of 1536 numbers", format, len(answer.Data))
		}
		vectors[format] = answer.Data
	}
	for i, v := range vectors[""] {
		other := vectors[openai.EmbeddingNewParamsEncodingFormatBase64][i]
		for k := range v.Embedding {
			if math.Abs(v.Embedding[k]-other.Embedding[k]) > 1e-6 { // float32 in both
				t.Fatalf("vector %d, number %d: %g in floats, %g in base64", i, k, v.Embedding[k], other.Embedding[k])
			}
		}
	}
	s.unchanged(t)
}

func TestSDKModels(t *testing.T) {
	s := newSDK(t, whole)
	pages := s.Models.ListAutoPaging(t.Context())
	var got []string
	for pages.Next() {
		got = append(got, pages.Current().ID)
	}
	if pages.Err() != nil || !slices.Contains(got, "gpt-4.1") || !slices.Contains(got, "whisper-1") {
		t.Errorf("models = %q, %v, want those of the demo", got, pages.Err())
	}
	one, err := s.Models.Get(t.Context(), "whisper-1")
	if err != nil {
		t.Fatal(err)
	}
	if one.ID != "whisper-1" || one.OwnedBy != "demo" {
		t.Errorf("model = %s, want whisper-1 of demo", one.RawJSON())
	}
	_, err = s.Models.Get(t.Context(), "nobody")
	want := typed{404, "invalid_request_error", "model_not_found", upstream.ErrModel.Message}
	if diff := cmp.Diff(typedError(t, err), want); diff != "" {
		t.Errorf("a model that there is not (-got +want):\n%s", diff)
	}
	if n := s.Demo.Books().Len(); n != 1 {
		t.Errorf("the upstream was asked %d times, want once: its list is kept", n)
	}
}

func TestSDKTranscription(t *testing.T) {
	s := newSDK(t, whole)
	// Longer than max_replay, and of every byte there is.
	audio := bytes.Repeat([]byte("\x00\xff\r\n--RIFF\x80"), 200_000)
	path := filepath.Join(t.TempDir(), "sheep.wav")
	if err := os.WriteFile(path, audio, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	answer, err := s.Audio.Transcriptions.New(t.Context(), openai.AudioTranscriptionNewParams{
		File: file, Model: "whisper-1", Language: openai.String("en"),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("You sent sheep.wav: %d bytes, SHA-256 %x.", len(audio), sha256.Sum256(audio))
	if answer.Text != want {
		t.Errorf("text = %q, want %q", answer.Text, want)
	}
	s.unchanged(t)
}

func TestSDKSpeech(t *testing.T) {
	s := newSDK(t, whole)
	answer, err := s.Audio.Speech.New(t.Context(), openai.AudioSpeechNewParams{
		Model: "tts-1", Input: "baa baa baa",
		Voice: openai.AudioSpeechNewParamsVoiceUnion{OfString: openai.String("alloy")},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	sound, err := io.ReadAll(answer.Body)
	if err != nil || len(sound) != 3*1024 || answer.Header.Get("Content-Type") != "audio/mpeg" {
		t.Errorf("%d bytes of %q, %v, want three pieces of audio/mpeg", len(sound), answer.Header.Get("Content-Type"), err)
	}
	s.unchanged(t)
}

func TestSDKImages(t *testing.T) {
	s := newSDK(t, whole)
	answer, err := s.Images.Generate(t.Context(), openai.ImageGenerateParams{
		Model: "gpt-image-1", Prompt: "a holy sheep", N: openai.Int(2),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Data) != 2 {
		t.Fatalf("%d pictures, want 2", len(answer.Data))
	}
	for _, picture := range answer.Data {
		b, err := base64.StdEncoding.DecodeString(picture.B64JSON)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(bytes.NewReader(b)); err != nil {
			t.Errorf("no picture: %v", err)
		}
	}
	s.unchanged(t)
}
