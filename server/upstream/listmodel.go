package upstream

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"
)

const (
	// listMost bounds the models of all upstreams together. The longest list
	// known has some 350.
	listMost = 50_000

	// idBytes bounds a model's name: a longer one fits into no path.
	idBytes = 512
)

// A listedModel is a model in an upstream's list.
type listedModel struct {
	id       string
	raw      []byte // as the upstream wrote it, with the members that OpenAI's form needs
	from, to int    // where the id stands in raw, with its quotes

	display string // its name for people, as Anthropic has it; "" if it has none
	created string // when it came to be, as Anthropic has it; "" if not known
}

// parseList reads a list of models: an object with the list data, as OpenAI and
// Anthropic have it, or a list alone, as Together has it. What is no model in it
// is left out.
func parseList(body []byte, upstream string) ([]listedModel, error) {
	if !json.Valid(body) {
		return nil, errors.New("the list of models is not JSON")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if !openList(d) {
		return nil, errors.New("the list of models has no list data")
	}
	var all []listedModel
	for n := 0; d.More() && n < listMost; n++ {
		var raw json.RawMessage
		_ = d.Decode(&raw)
		if m, ok := parseModel(raw, upstream); ok {
			all = append(all, m)
		}
	}
	return all, nil
}

// openList reads up to the first model of a list, which is well-formed JSON. It
// returns false if there is no list.
func openList(d *json.Decoder) bool {
	open, _ := d.Token()
	for open == json.Delim('{') && d.More() {
		if key, _ := d.Token(); key == "data" {
			open, _ = d.Token()
			break
		}
		var skip json.RawMessage
		_ = d.Decode(&skip)
	}
	return open == json.Delim('[')
}

// parseModel reads a model, which is well-formed JSON. It returns false if it
// has no name, or more than one.
func parseModel(raw []byte, upstream string) (m listedModel, ok bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if open, _ := d.Token(); open != json.Delim('{') {
		return m, false
	}
	has := map[string]bool{}
	for d.More() {
		key, _ := d.Token()
		var value json.RawMessage
		_ = d.Decode(&value)
		name, _ := key.(string)
		switch {
		case name != "id":
			m.note(name, value)
		case has[name] || json.Unmarshal(value, &m.id) != nil || m.id == "" || len(m.id) > idBytes:
			return m, false
		default:
			m.to = int(d.InputOffset())
			m.from = m.to - len(value)
		}
		has[name] = true
	}
	m.raw = raw
	if !has["object"] {
		m.complete(has, upstream)
	}
	return m, has["id"]
}

// note takes down a member of a model that Anthropic's form needs.
func (m *listedModel) note(name string, value []byte) {
	switch name {
	case "display_name":
		_ = json.Unmarshal(value, &m.display)
	case "created_at":
		if at := (time.Time{}); json.Unmarshal(value, &at) == nil {
			m.created = at.UTC().Format(time.RFC3339)
		}
	case "created":
		if at := int64(0); json.Unmarshal(value, &at) == nil && at > 0 && at < 1<<40 && m.created == "" {
			m.created = time.Unix(at, 0).UTC().Format(time.RFC3339)
		}
	}
}

// complete adds the members of OpenAI's form to a model of another.
func (m *listedModel) complete(has map[string]bool, upstream string) {
	end := bytes.LastIndexByte(m.raw, '}')
	m.raw = append([]byte(nil), m.raw[:end]...)
	m.raw = append(m.raw, `,"object":"model"`...)
	if !has["created"] {
		m.raw = append(m.raw, `,"created":0`...)
	}
	if !has["owned_by"] {
		m.raw = append(append(m.raw, `,"owned_by":`...), quoted(upstream)...)
	}
	m.raw = append(m.raw, '}')
}

// named returns the model under another name.
func (m listedModel) named(id string) listedModel {
	name := quoted(id)
	raw := make([]byte, 0, len(m.raw)+len(name))
	raw = append(append(append(raw, m.raw[:m.from]...), name...), m.raw[m.to:]...)
	m.id, m.raw, m.to = id, raw, m.from+len(name)
	return m
}

// madeUp returns a model of which nothing but its name is known.
func madeUp(id, upstream string) listedModel {
	m, _ := parseModel([]byte(`{"id":`+string(quoted(id))+`}`), upstream)
	return m
}

// quoted returns a text as a JSON string.
func quoted(text string) []byte {
	raw, _ := json.Marshal(text) // a text has no other outcome
	return raw
}
