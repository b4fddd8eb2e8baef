package plugins

import (
	"net/http"
	"net/url"
	"strings"
)

// comparePath takes the model from the URL's path if the body names none, and
// puts it in doubt if the body names another: some upstreams believe the path.
//
// A deployment in a path of Azure's is the model whatever the body says: Azure
// answers by the deployment and takes the body's model for nothing, and the
// SDKs leave another there.
func (a *asker) comparePath(req *http.Request) {
	p := findPath(req.Method, req.URL)
	p.model = strings.Clone(p.model) // whoever keeps it keeps no long query with it
	if p.gemini {
		a.readGemini(p)
	}
	switch {
	case p.model == "":
		return
	case p.azure:
		a.Model, a.why[0] = p.model, ""
	case a.Model == "":
		a.Model = p.model
	case a.Model != p.model:
		a.doubt(FieldModel, "the URL's path names another model")
	}
	if p.odd || strings.ContainsFunc(p.model, oddInPath) {
		a.doubt(FieldModel, "the URL's path can be read in more than one way")
	}
}

// readGemini reads what Gemini's API says by the path, and a model in the body
// as its resources are named.
func (a *asker) readGemini(p pathModel) {
	a.Stream = a.Stream || p.verb == "streamGenerateContent"
	if model, found := strings.CutPrefix(a.Model, geminiModels); found {
		a.Model, a.resource = model, true
	}
}

// oddInPath reports whether r means something in a path to some server, even
// where it stands in a model: "gpt-4.1;mini" is "gpt-4.1" to one that cuts off
// parameters.
func oddInPath(r rune) bool { return r < ' ' || strings.ContainsRune(";?#%\\\x7f", r) }

// The collections in which Gemini's API keeps models.
const (
	geminiModels = "models/"
	geminiTuned  = "tunedModels/"
)

// A pathModel is the model that a path asks, and where it stands in it.
type pathModel struct {
	model  string
	verb   string // of Gemini's form: what follows the last colon
	azure  bool
	gemini bool
	odd    bool // not all servers see this model

	// What is before and after the model in the path, as it was sent. In
	// Gemini's own paths the collection belongs to the model.
	before, after string
}

// findPath returns the model that a path asks; its model is "" if it asks none:
// /v1beta/models/MODEL:verb and /v1/models/MODEL:verb as Gemini's API has it,
// with tunedModels/MODEL as the name of a tuned model, …/engines/MODEL/… and
// …/deployments/MODEL/… as OpenAI's first and Azure's have it. Who only reads
// or deletes asks no model.
func findPath(method string, u *url.URL) pathModel {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodDelete:
		return pathModel{}
	}
	if u.RawPath == "" {
		return cutPath(u.Path)
	}
	p, plain := cutPath(u.EscapedPath()), cutPath(u.Path)
	// A server may decode the path before it looks for the model, which ends
	// for it at a slash that was escaped, or begins elsewhere.
	model, err := url.PathUnescape(p.model)
	p.odd = err != nil || len(unescape(p.before)) != len(plain.before) ||
		model != plain.model && !strings.HasPrefix(model, plain.model+"/")
	if p.model = model; p.odd && plain.model != "" {
		p.model = plain.model
	}
	p.verb, p.gemini = plain.verb, p.gemini || plain.gemini
	return p
}

// unescape returns a piece of a path that is well escaped in plain.
func unescape(piece string) string {
	plain, _ := url.PathUnescape(piece)
	return plain
}

// indexFold returns where the place, which begins with a slash, is in a path in
// whatever case, as Azure takes its paths; -1 if it is not there.
func indexFold(path, place string) int {
	for i := 0; i+len(place) <= len(path); i++ {
		if path[i] == '/' && strings.EqualFold(path[i:i+len(place)], place) {
			return i
		}
	}
	return -1
}

// cutPath cuts a path at the model that it names.
func cutPath(path string) pathModel {
	for _, place := range [...]string{"/engines/", "/deployments/"} {
		if i := indexFold(path, place); i >= 0 {
			before, rest := path[:i], path[i+len(place):]
			model, _, _ := strings.Cut(rest, "/")
			return pathModel{
				model: model, azure: before == "/openai" && place == "/deployments/",
				before: path[:len(path)-len(rest)], after: rest[len(model):],
			}
		}
	}
	gemini := strings.HasPrefix(path, "/v1beta/")
	for _, collection := range [...]string{geminiModels, geminiTuned} {
		before, rest, found := strings.Cut(path, "/"+collection)
		if !found {
			continue
		}
		p := pathModel{model: rest, gemini: gemini, before: path[:len(path)-len(rest)]}
		if colon := strings.LastIndexByte(rest, ':'); colon >= 0 {
			p.model, p.after, p.verb, p.gemini = rest[:colon], rest[colon:], rest[colon+1:], true
		}
		if collection == geminiTuned {
			p.model, p.gemini = geminiTuned+p.model, true
		}
		if p.gemini {
			p.before = before + "/"
		}
		return p
	}
	return pathModel{gemini: gemini}
}
