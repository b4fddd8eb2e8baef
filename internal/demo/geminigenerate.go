package demo

import (
	"net/http"
	"slices"
)

// A geminiAnswer is what :generateContent answers with, and each piece of what
// :streamGenerateContent does.
type geminiAnswer struct {
	Candidates    []candidate `json:"candidates"`
	UsageMetadata geminiUsage `json:"usageMetadata"`
	ModelVersion  string      `json:"modelVersion"`
	ResponseID    string      `json:"responseId"`
}

type candidate struct {
	Content      geminiContent `json:"content"`
	FinishReason string        `json:"finishReason,omitempty"`
	Index        int           `json:"index"`
}

type geminiUsage struct {
	PromptTokenCount     int             `json:"promptTokenCount"`
	CandidatesTokenCount int             `json:"candidatesTokenCount,omitempty"`
	TotalTokenCount      int             `json:"totalTokenCount"`
	PromptTokensDetails  []modalityCount `json:"promptTokensDetails"`
}

// used counts n more tokens of candidates.
func (u *geminiUsage) used(n int) {
	u.CandidatesTokenCount += n
	u.TotalTokenCount += n
}

// generateContent answers POST /v1beta/models/MODEL:generateContent and
// :streamGenerateContent.
func generateContent(x *exchange) answer {
	config := x.gemini.GenerationConfig
	switch {
	case len(x.gemini.Contents) == 0:
		return x.refuse(http.StatusBadRequest, "", "* GenerateContentRequest.contents: contents is not specified")
	case config.CandidateCount < 0 || config.CandidateCount > 8:
		return x.refuse(http.StatusBadRequest, "", "* GenerateContentRequest.generation_config.candidate_count: not from 1 to 8")
	}
	last, words := x.gemini.question()
	g := geminiAnswer{ModelVersion: x.ask.Model, ResponseID: x.id("resp")}
	g.UsageMetadata = geminiUsage{PromptTokenCount: words, TotalTokenCount: words, PromptTokensDetails: textTokens(words)}
	var replies []reply
	for i := range max(1, config.CandidateCount) {
		replies = append(replies, newReply(last, i, x.plan.tokens, config.MaxOutputTokens))
	}
	if x.ask.Stream {
		return g.stream(replies, x.r.URL.Query().Get("alt") == "sse")
	}
	for i, r := range replies {
		g.Candidates = append(g.Candidates, newCandidate(i, r.text(), finishReason(r)))
		g.UsageMetadata.used(len(r.tokens))
	}
	return whole(http.StatusOK, g)
}

func newCandidate(index int, text, finish string) candidate {
	return candidate{geminiContent{"model", []geminiPart{{text}}}, finish, index}
}

func finishReason(r reply) string {
	if r.cut {
		return "MAX_TOKENS"
	}
	return "STOP"
}

// stream tells the replies piece by piece, as server-sent events or as the
// items of one JSON list. Usage grows from piece to piece.
func (g geminiAnswer) stream(replies []reply, sse bool) answer {
	var pieces [][]byte
	for i, r := range replies {
		for j, token := range r.tokens {
			finish := ""
			if j == len(r.tokens)-1 {
				finish = finishReason(r)
			}
			g.UsageMetadata.used(1)
			g.Candidates = []candidate{newCandidate(i, token, finish)}
			pieces = append(pieces, marshal(g))
		}
	}
	if sse {
		for i, p := range pieces {
			pieces[i] = event("", p)
		}
		a := events(pieces)
		a.failure = geminiFailure
		return a
	}
	for i, p := range pieces {
		pieces[i] = item(i, p)
	}
	a := body(http.StatusOK, "application/json; charset=UTF-8", append(pieces, []byte("]"))...)
	a.failure = geminiListFailure
	return a
}

// item returns the item i of a list.
func item(i int, data []byte) []byte {
	if i == 0 {
		return slices.Concat([]byte("["), data)
	}
	return slices.Concat([]byte(",\r\n"), data)
}

// geminiFailure returns the event in which a stream of Gemini's fails.
func geminiFailure(_ int, code string) []byte {
	return event("", marshal(newRPCError(http.StatusInternalServerError, code, inStream)))
}

// geminiListFailure returns the item n in which a list of Gemini's fails, and
// the list's end.
func geminiListFailure(n int, code string) []byte {
	failed := marshal(newRPCError(http.StatusInternalServerError, code, inStream))
	return append(item(n, failed), ']')
}
