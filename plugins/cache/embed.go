package cache

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"

	"github.com/holysheep/relay/plugins"
)

// maxEmbedding is the longest answer that is read of an embedding model: 16,384
// numbers take about a third of it.
const maxEmbedding = 1 << 20

// embed returns the embedding of text. It is asked for as a request of its own,
// by the client that asks.
func (s *semantic) embed(ctx context.Context, next http.RoundTripper, req *http.Request, text string) ([]float32, error) {
	out, err := s.embedding(ctx, req, text)
	if err != nil {
		return nil, err
	}
	res, err := next.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxEmbedding+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > maxEmbedding:
		return nil, errors.New("the answer is longer than 1MiB")
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the upstream answers with status %d", res.StatusCode)
	}
	return readEmbedding(body)
}

// embedding returns the request for the embedding of text.
func (s *semantic) embedding(ctx context.Context, req *http.Request, text string) (*http.Request, error) {
	body, err := json.Marshal(struct {
		Model      string `json:"model"`
		Input      string `json:"input"`
		Dimensions int    `json:"dimensions,omitempty"`
		Encoding   string `json:"encoding_format"`
	}{s.settings.Model, text, s.settings.Dimensions, "float"})
	if err != nil {
		return nil, err
	}
	asker := plugins.CallOf(req.Context())
	url := *req.URL
	url.Path, url.RawPath, url.RawQuery = "/v1/embeddings", "", ""
	var out *http.Request
	call := plugins.NewCall(asker.ID, func() plugins.Ask { return plugins.ReadAsk(out, body, true) })
	if client, known := asker.Client(); known {
		call.SetClient(client)
	}
	out, err = http.NewRequestWithContext(plugins.WithCall(ctx, call), http.MethodPost, url.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	out.Host = req.Host
	out.Header.Set("Content-Type", "application/json")
	return out, nil
}

// readEmbedding reads the first embedding of an answer, as numbers or as base64
// of 32-bit ones.
func readEmbedding(body []byte) ([]float32, error) {
	var answer struct {
		Data []struct {
			Embedding json.RawMessage `json:"embedding"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || len(answer.Data) != 1 {
		return nil, errors.New("the answer is not one embedding")
	}
	var vector []float32
	if json.Unmarshal(answer.Data[0].Embedding, &vector) == nil && len(vector) > 0 {
		return vector, nil
	}
	var text string
	if json.Unmarshal(answer.Data[0].Embedding, &text) != nil {
		return nil, errors.New("the embedding is no list of numbers")
	}
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(packed) == 0 || len(packed)%4 != 0 {
		return nil, errors.New("the embedding is no list of numbers")
	}
	for ; len(packed) > 0; packed = packed[4:] {
		vector = append(vector, math.Float32frombits(binary.LittleEndian.Uint32(packed)))
	}
	return vector, nil
}
