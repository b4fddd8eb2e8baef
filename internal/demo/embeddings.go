package demo

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"net/http"
)

// dimensions is how long a vector is that was not asked to be shorter, as of
// text-embedding-3-small.
const dimensions = 1536

type embeddingList struct {
	Object string      `json:"object"`
	Data   []embedding `json:"data"`
	Model  string      `json:"model"`
	Usage  struct {
		PromptTokens int `json:"prompt_tokens"`
		TotalTokens  int `json:"total_tokens"`
	} `json:"usage"`
}

type embedding struct {
	Object    string `json:"object"`
	Index     int    `json:"index"`
	Embedding any    `json:"embedding"` // []float32, or those in base64
}

// embeddings answers POST /v1/embeddings.
func embeddings(x *exchange) answer {
	inputs := inputs(x.ask.Input)
	size := x.ask.Dimensions
	if size == 0 {
		size = dimensions
	}
	format := x.ask.EncodingFormat
	switch {
	case x.ask.Model == "":
		return missing("model")
	case len(inputs) == 0:
		return missing("input")
	case size < 1 || size > 2*dimensions:
		return refuse(http.StatusBadRequest, "", "'dimensions' is not from 1 to 3072.")
	case format != "" && format != "float" && format != "base64":
		return refuse(http.StatusBadRequest, "", "'encoding_format' is neither 'float' nor 'base64'.")
	}
	list := embeddingList{Object: "list", Model: x.ask.Model}
	for i, input := range inputs {
		e := embedding{Object: "embedding", Index: i}
		v := vector(input, size)
		if e.Embedding = v; format == "base64" {
			e.Embedding = base64.StdEncoding.EncodeToString(littleEndian(v))
		}
		list.Data = append(list.Data, e)
		list.Usage.PromptTokens += count(input)
	}
	list.Usage.TotalTokens = list.Usage.PromptTokens
	return whole(http.StatusOK, list)
}

// inputs returns what is to be embedded. One list of token numbers is one
// input.
func inputs(raw json.RawMessage) []string {
	var tokens []int
	if json.Unmarshal(raw, &tokens) == nil && len(tokens) > 0 {
		return []string{string(raw)}
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return texts(raw)
	}
	var all []string
	for _, item := range list {
		var s string
		if json.Unmarshal(item, &s) != nil {
			s = string(item)
		}
		all = append(all, s)
	}
	return all
}

// vector returns a vector of length 1 that depends on nothing but text.
func vector(text string, size int) []float32 {
	sum := sha256.Sum256([]byte(text))
	random := rand.New(rand.NewChaCha8(sum))
	v := make([]float32, size)
	var square float64
	for i := range v {
		v[i] = random.Float32()*2 - 1
		square += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / math.Sqrt(square))
	}
	return v
}

func littleEndian(v []float32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, f := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return b
}
