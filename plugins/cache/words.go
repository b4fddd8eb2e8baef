package cache

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Words says in plain sentences, one thing in each, what is answered from the
// cache, for whom, and from where. The README says the same.
func (s Settings) Words() []string {
	words := s.outer().words("Answers")
	for _, name := range slices.Sorted(maps.Keys(s.Rules)) {
		words = append(words, s.Rules[name].words(name, s)...)
	}
	if s.inMemory() {
		words = append(words, fmt.Sprintf("This replica keeps them in %s of memory, each of %s at most.", s.MaxBytes, s.MaxValue))
	} else {
		words = append(words, "This replica keeps none in memory.")
	}
	if s.Redis.Enabled {
		words = append(words, fmt.Sprintf("Redis keeps them for all replicas, if there is one; a request waits for it at most %s each time it looks there, and goes on without.", s.Redis.Deadline))
	}
	if s.Coalesce.Enabled {
		words = append(words, "Equal requests at the same time share one call; one replica waits for another's answer for at most "+s.Coalesce.Wait.String()+".")
	}
	if s.asksMeanings() {
		words = append(words, fmt.Sprintf("A question gets the answer to another one whose embedding by %s is %v near: that can be wrong.", s.Semantic.Model, s.Semantic.Threshold))
	}
	return words
}

// words says what the rule does with the answers that it is about.
func (r rule) words(what string) []string {
	if r.ttl == 0 {
		return []string{what + " are not kept."}
	}
	words := []string{fmt.Sprintf("%s are given again for %s, to %s.", what, r.ttl, r.whom())}
	if r.sampled {
		words = append(words, what+" that are drawn at random are given again too.")
	}
	if r.effects {
		words = append(words, what+" to requests that do something are given again too: it is not done again.")
	}
	if r.whileRevalidate > 0 {
		words = append(words, fmt.Sprintf("For %s after that they are given while new ones are asked for.", r.whileRevalidate))
	}
	if r.ifError > 0 {
		words = append(words, fmt.Sprintf("For %s after that they are given where the upstream fails.", r.ifError))
	}
	return words
}

// whom says who shares answers.
func (r rule) whom() string {
	switch r.scope {
	case scopeShared:
		return "everybody who may use the relay"
	case scopeGroup:
		return "the clients of the same group"
	}
	return "the same client alone"
}

// words says what the rule does, and what it is about.
func (r Rule) words(name string, s Settings) []string {
	var about []string
	for _, part := range []struct {
		what  string
		names []string
	}{{"at", r.Endpoints}, {"for the models", r.Models}, {"to the clients", r.Clients}, {"to the groups", r.Groups}} {
		if len(part.names) > 0 {
			about = append(about, part.what+" "+strings.Join(part.names, ", "))
		}
	}
	if len(about) == 0 {
		about = []string{"to all"}
	}
	return r.over(s.outer(), name).words(name + ": answers " + strings.Join(about, ", "))
}
