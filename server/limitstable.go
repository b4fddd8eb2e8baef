package server

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/holysheep/relay/internal/tree"
)

// A liveCounter is a counter as the plugin limit tells it.
type liveCounter struct {
	Rule                        string
	Client, Group, Model, Value *string
	Kind, Mode                  string
	Limit, Used, Remaining      json.Number
	ResetMS                     int64 `json:"reset_ms"`
}

// A liveRule is a rule as the plugin limit tells it.
type liveRule struct {
	Shadow, More bool
	Counters     []liveCounter
	Queue        *struct{ Waiting int }
}

// limitsTable returns the counters of an answer of the plugin limit as a table
// for people, and how they stood before where they were reset.
func limitsTable(body []byte) (string, error) {
	var answer struct {
		Rules map[string]*liveRule
		Reset []liveCounter
		Note  string
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", err
	}
	if answer.Rules == nil && answer.Reset == nil {
		return "", errors.New("no counters")
	}
	var text, notes strings.Builder // which never fail
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { _, _ = fmt.Fprintln(table, strings.Join(cells, "\t")) }
	row("RULE", "WHOSE", "KIND", "USED", "LIMIT", "REMAINING", "RESETS IN", "MODE")
	for _, name := range slices.SortedFunc(maps.Keys(answer.Rules), byRule) {
		r := answer.Rules[name]
		for _, c := range r.Counters {
			if c.Rule = name; r.Shadow {
				c.Rule += " (shadow)"
			}
			row(c.cells()...)
		}
		notes.WriteString(r.notes(name))
	}
	for _, c := range answer.Reset {
		row(c.cells()...)
	}
	if slices.ContainsFunc(slices.Collect(maps.Values(answer.Rules)), (*liveRule).alone) {
		notes.WriteString("local, closed: Redis cannot be asked; what remains is the share of the replica that was asked\n")
	}
	if answer.Reset != nil {
		notes.WriteString("reset: this is how they stood before\n")
	}
	if answer.Note != "" {
		notes.WriteString(answer.Note + "\n")
	}
	_ = table.Flush()
	return text.String() + notes.String(), nil
}

// alone reports whether a counter of the rule is that of one replica's share.
func (r *liveRule) alone() bool {
	return slices.ContainsFunc(r.Counters, func(c liveCounter) bool { return c.Mode == "local" || c.Mode == "closed" })
}

// notes says what the table does not.
func (r *liveRule) notes(name string) (lines string) {
	if r.Queue != nil && r.Queue.Waiting > 0 {
		lines = fmt.Sprintf("%s: %d waiting in this replica\n", name, r.Queue.Waiting)
	}
	switch {
	case r.More:
		lines += name + ": there may be more: name a client, --model, --group or --header\n"
	case len(r.Counters) == 0:
		lines += name + ": nothing is in use\n"
	}
	return lines
}

// byRule orders the rules by name, the replica's own limit first.
func byRule(a, b string) int {
	const first = "max_in_flight"
	switch {
	case a == first && b != first:
		return -1
	case b == first && a != first:
		return 1
	}
	return cmp.Compare(a, b)
}

// cells returns the counter as a row of the table.
func (c *liveCounter) cells() []string {
	unit, resets := "", "-"
	if c.Kind == "budget" {
		unit = "$"
	}
	if c.ResetMS > 0 {
		resets = tree.Short(time.Duration(c.ResetMS) * time.Millisecond)
	}
	used := "-" // of all replicas, which nobody knows while Redis is away
	if c.Used != "" {
		used = unit + c.Used.String()
	}
	return []string{c.Rule, c.whose(), c.Kind, used, unit + c.Limit.String(), unit + c.Remaining.String(), resets, c.Mode}
}

// whose returns whose counter it is, without what could lead a terminal astray:
// models and values of headers are what clients wrote.
func (c *liveCounter) whose() string {
	var names []string
	for _, name := range []*string{c.Client, c.Group, c.Model, c.Value} {
		switch {
		case name == nil:
		case *name == "":
			names = append(names, "(none)")
		default:
			text := fmt.Sprintf("%q", *name)
			names = append(names, text[1:len(text)-1])
		}
	}
	if len(names) == 0 {
		return "all"
	}
	return strings.Join(names, " ")
}
