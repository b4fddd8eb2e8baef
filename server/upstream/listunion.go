package upstream

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// union returns the models of all upstreams under the names by which clients
// ask for them, those of the lowest priority first and otherwise as each
// upstream lists them. Of two of the same name the first counts.
func (p *Pool) union() []listedModel {
	var all []listedModel
	seen := map[string]bool{}
	for _, m := range p.members {
		if !m.hasList() {
			continue
		}
		for _, one := range m.offered() {
			if len(all) == listMost {
				return all
			}
			if !seen[one.id] {
				seen[one.id] = true
				all = append(all, one)
			}
		}
	}
	return all
}

// offered returns the models that the upstream serves, as far as they are
// known: those of its last good list, or those that the configuration names.
func (m *member) offered() []listedModel {
	models, good := m.list.last()
	if !good {
		return m.configured()
	}
	aliases := m.aliases()
	all := make([]listedModel, 0, len(models))
	for _, one := range models {
		for _, alias := range aliases[one.id] {
			all = append(all, one.named(alias))
		}
		// By a name that is rewritten clients get the other model.
		if _, other := m.set.Rewrite[one.id]; !other && m.serves(one.id) {
			all = append(all, one)
		}
	}
	return all
}

// configured returns the models that the configuration names.
func (m *member) configured() []listedModel {
	var all []listedModel
	for _, name := range m.set.Models {
		if !strings.Contains(name, "*") {
			all = append(all, madeUp(name, m.name))
		}
	}
	for _, alias := range slices.Sorted(maps.Keys(m.set.Rewrite)) {
		all = append(all, madeUp(alias, m.name))
	}
	return all
}

// aliases returns the names of clients for what the upstream calls a model.
func (m *member) aliases() map[string][]string {
	of := make(map[string][]string, len(m.set.Rewrite))
	for _, alias := range slices.Sorted(maps.Keys(m.set.Rewrite)) {
		target := m.set.Rewrite[alias]
		of[target] = append(of[target], alias)
	}
	return of
}

// known reports whether anything is known of the upstream's models.
func (m *member) known() bool {
	if !m.hasList() {
		return false
	}
	_, good := m.list.last()
	return good || len(m.configured()) > 0
}

// appendOpenAIList appends a list of models in OpenAI's form.
func appendOpenAIList(b []byte, all []listedModel) []byte {
	return append(appendModels(append(b, `{"object":"list","data":`...), all, (*listedModel).appendOpenAI), '}')
}

// appendAnthropicList appends a list of models in Anthropic's form.
func appendAnthropicList(b []byte, all []listedModel) []byte {
	first, last := []byte("null"), []byte("null")
	if len(all) > 0 {
		first, last = quoted(all[0].id), quoted(all[len(all)-1].id)
	}
	b = appendModels(append(b, `{"data":`...), all, (*listedModel).appendAnthropic)
	b = append(append(b, `,"has_more":false,"first_id":`...), first...)
	return append(append(append(b, `,"last_id":`...), last...), '}')
}

func appendModels(b []byte, all []listedModel, one func(*listedModel, []byte) []byte) []byte {
	b = append(b, '[')
	for i := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(&all[i], b)
	}
	return append(b, ']')
}

// appendOpenAI appends the model in OpenAI's form.
func (m *listedModel) appendOpenAI(b []byte) []byte { return append(b, m.raw...) }

// appendAnthropic appends the model in Anthropic's form.
func (m *listedModel) appendAnthropic(b []byte) []byte {
	display, created := m.display, m.created
	if display == "" {
		display = m.id
	}
	if created == "" {
		created = time.Unix(0, 0).UTC().Format(time.RFC3339) // as Anthropic has it where it is not known
	}
	b = append(append(b, `{"type":"model","id":`...), quoted(m.id)...)
	b = append(append(b, `,"display_name":`...), quoted(display)...)
	return append(append(append(b, `,"created_at":`...), quoted(created)...), '}')
}
