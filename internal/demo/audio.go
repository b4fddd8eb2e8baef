package demo

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
)

// pieceBytes is how long a piece of speech is.
const pieceBytes = 1024

// transcribe answers POST /v1/audio/transcriptions: the text tells the file's
// name, length and digest. A stream is not given, as by whisper-1.
func transcribe(x *exchange) answer {
	files := x.form.File["file"]
	switch {
	case x.ask.Model == "":
		return missing("model")
	case len(files) == 0:
		return missing("file")
	}
	file, err := files[0].Open()
	if err != nil {
		return refuse(http.StatusBadRequest, "", err.Error())
	}
	defer func() { _ = file.Close() }()
	digest := sha256.New()
	n, err := io.Copy(digest, file)
	if err != nil {
		return refuse(http.StatusBadRequest, "", err.Error())
	}
	text := fmt.Sprintf("You sent %s: %d bytes, SHA-256 %x.", files[0].Filename, n, digest.Sum(nil))
	switch x.field("response_format") {
	case "", "json":
		return whole(http.StatusOK, map[string]string{"text": text})
	case "text":
		return body(http.StatusOK, "text/plain; charset=utf-8", []byte(text+"\n"))
	}
	return refuse(http.StatusBadRequest, "", "'response_format' is neither 'json' nor 'text'.")
}

// speech answers POST /v1/audio/speech: bytes that no player understands, a
// piece for each word, which depend on nothing but the input.
func speech(x *exchange) answer {
	var input, format string
	_ = json.Unmarshal(x.ask.Input, &input)
	_ = json.Unmarshal(x.ask.ResponseFormat, &format)
	switch {
	case x.ask.Model == "":
		return missing("model")
	case input == "":
		return missing("input")
	}
	kind, known := map[string]string{
		"": "audio/mpeg", "mp3": "audio/mpeg", "opus": "audio/opus", "aac": "audio/aac",
		"flac": "audio/flac", "wav": "audio/wav", "pcm": "audio/pcm",
	}[format]
	if !known {
		return refuse(http.StatusBadRequest, "", "'response_format' is not known.")
	}
	n := x.plan.tokens
	if n == 0 {
		n = count(input)
	}
	random := rand.NewChaCha8(sha256.Sum256([]byte(input)))
	pieces := make([][]byte, max(n, 1))
	for i := range pieces {
		pieces[i] = make([]byte, pieceBytes)
		_, _ = random.Read(pieces[i]) // never fails
	}
	return body(http.StatusOK, kind, pieces...)
}
