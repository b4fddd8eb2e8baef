package upstream

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

// ErrList says that no upstream has told which models it has, and that the
// configuration names none.
var ErrList = &plugins.Error{
	Status: http.StatusBadGateway, Type: "upstream_error", Code: "models_unknown",
	Message: "no upstream tells which models it has",
}

// modelsPath is the path of the list of models. What is under it is one model.
const modelsPath = "/v1/models"

// lists reports whether the request reads the list of models, or one model of
// it, however the path is escaped. The pool answers that itself, by what all its
// upstreams serve. No model is asked by such a request, so a colon in it is a
// part of the model's name, as in those of fine-tuned models, and no verb of
// Gemini's.
func (p *Pool) lists(req *http.Request) bool {
	if req.Method != http.MethodGet && req.Method != http.MethodHead || plugins.Upgrades(req) {
		return false
	}
	after, found := strings.CutPrefix(req.URL.Path, modelsPath)
	return found && (after == "" || after[0] == '/') && slices.ContainsFunc(p.members, (*member).hasList)
}

// list answers with the models that the upstreams serve and the client may use,
// or with one of them. It returns [ErrModel] for a model that is not among them,
// and the error of an upstream if nothing is known from any.
//
// The answer is Anthropic's for clients of its API, which name its version, and
// OpenAI's for all others. The query means nothing: the list has one page.
func (p *Pool) list(req *http.Request, call *plugins.Call) (*http.Response, error) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	if err := p.ask(req.Context()); err != nil {
		return nil, err
	}
	all := p.union()
	if client, _ := call.Client(); len(client.Models) > 0 {
		all = slices.DeleteFunc(all, func(m listedModel) bool {
			return !slices.ContainsFunc(client.Models, func(glob string) bool { return plugins.MatchModel(glob, m.id) })
		})
	}
	write, writeAll := (*listedModel).appendOpenAI, appendOpenAIList
	if req.Header.Get("Anthropic-Version") != "" {
		write, writeAll = (*listedModel).appendAnthropic, appendAnthropicList
	}
	name, one := strings.CutPrefix(req.URL.Path, modelsPath+"/")
	if !one {
		return listAnswer(req, writeAll(nil, all)), nil
	}
	i := slices.IndexFunc(all, func(m listedModel) bool { return m.id == name })
	if i < 0 {
		return nil, ErrModel
	}
	return listAnswer(req, write(&all[i], nil)), nil
}

// ask has the lists of all upstreams that have one read again as far as that is
// due, and waits for those that can be waited for: an upstream that has failed
// is asked again beside, and keeps nobody waiting as long as anything is known.
// It returns the error of an upstream if nothing is.
func (p *Pool) ask(ctx context.Context) error {
	var waits, rest []<-chan struct{}
	for _, m := range p.members {
		if !m.hasList() {
			continue
		}
		landed, failing := m.list.refresh(p, m)
		switch {
		case landed == nil:
		case failing:
			rest = append(rest, landed)
		default:
			waits = append(waits, landed)
		}
	}
	for _, some := range [...][]<-chan struct{}{waits, rest} {
		for _, landed := range some {
			select {
			case <-landed:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if slices.ContainsFunc(p.members, (*member).known) {
			return nil
		}
	}
	return p.listError()
}

// listError returns why nothing is known. It is nobody's fault but the
// upstreams', and they were asked a moment ago: to ask again at once is no use.
func (p *Pool) listError() error {
	for _, m := range p.members {
		if !m.hasList() {
			continue
		}
		err := m.list.lastError()
		if e, ok := plugins.AsError(err); ok {
			final := *e
			final.Again = false
			return &final
		}
		if err != nil {
			return ErrList.Because(err)
		}
	}
	return ErrList
}

// hasList reports whether the upstream speaks an API whose models are listed at
// /models below its base URL in a form that is known.
func (m *member) hasList() bool {
	return m.wires&(wireBit(wire.OpenAI)|wireBit(wire.Anthropic)) != 0
}

// listAnswer returns the answer to req with the given body.
func listAnswer(req *http.Request, body []byte) *http.Response {
	length := strconv.Itoa(len(body))
	res := &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"application/json"}, "Content-Length": {length}},
		Body:          http.NoBody,
		ContentLength: int64(len(body)),
		Request:       req,
	}
	if req.Method != http.MethodHead {
		res.Body = io.NopCloser(strings.NewReader(string(body)))
	}
	return res
}
