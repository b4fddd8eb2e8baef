package demo

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strconv"
)

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
