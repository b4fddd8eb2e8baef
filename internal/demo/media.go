package demo

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
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

type imageList struct {
	Created int64          `json:"created"`
	Data    []encodedImage `json:"data"`
}

type encodedImage struct {
	B64JSON string `json:"b64_json"`
}

// images answers POST /v1/images/generations: pictures of one pixel, whose
// colour depends on the prompt.
func images(x *exchange) answer {
	var prompt string
	_ = json.Unmarshal(x.ask.Prompt, &prompt)
	switch {
	case prompt == "":
		return missing("prompt")
	case x.ask.N < 0 || x.ask.N > 128:
		return badN()
	}
	list := imageList{Created: x.now()}
	for i := range max(1, x.ask.N) {
		picture := pixel(prompt + " " + strconv.Itoa(i))
		list.Data = append(list.Data, encodedImage{base64.StdEncoding.EncodeToString(picture)})
	}
	return whole(http.StatusOK, list)
}

func pixel(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	picture := image.NewRGBA(image.Rect(0, 0, 1, 1))
	picture.Set(0, 0, color.RGBA{R: sum[0], G: sum[1], B: sum[2], A: 255})
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}
