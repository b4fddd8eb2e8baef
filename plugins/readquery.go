package plugins

import (
	"net/url"
	"strings"
)

// readQuery takes the model from the URL's query.
func (a *asker) readQuery(raw string) {
	model, found, sure := queryModel(raw)
	a.Model = model
	if found && !sure {
		a.doubt(FieldModel, "model is in the URL's query in more than one way")
	}
}

// compareQuery puts the model in doubt if the URL's query names one that the
// body does not.
func (a *asker) compareQuery(raw string) {
	model, found, sure := queryModel(raw)
	if found && (!sure || model != a.Model) {
		a.doubt(FieldModel, "model is in the URL's query too")
	}
}

// compareForm puts in doubt what a JSON body names again for a reader that
// believes its Content-Type, the one that curl sends unless told otherwise.
func (a *asker) compareForm(body string) {
	for piece := range strings.FieldsFuncSeq(body, separates) {
		key, _, _ := cutPair(piece)
		if i, _ := findName(key); i >= 0 {
			a.doubt(names()[i].field, names()[i].text+" can be read as a form's field too")
		}
	}
}

// queryModel returns the model in a URL's query, whether there is one, and
// whether all readers see the same: it is there once, in small letters and
// well escaped, and no semicolon is near, which separates for some.
func queryModel(raw string) (model string, found, sure bool) {
	sure = !strings.Contains(raw, ";")
	for piece := range strings.FieldsFuncSeq(raw, separates) {
		key, value, ok := cutPair(piece)
		if !strings.EqualFold(key, "model") {
			continue
		}
		sure = sure && ok && !found && key == "model"
		model, found = value, true
	}
	return model, found, sure
}

// cutPair cuts a piece of a query in key and value. ok is false if one of them
// is badly escaped; it is empty then.
func cutPair(piece string) (key, value string, ok bool) {
	rawKey, rawValue, _ := strings.Cut(piece, "=")
	key, errKey := url.QueryUnescape(rawKey)
	value, errValue := url.QueryUnescape(rawValue)
	return key, value, errKey == nil && errValue == nil
}

func separates(r rune) bool { return r == '&' || r == ';' }
