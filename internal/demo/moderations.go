package demo

import (
	"net/http"
	"strings"
)

// The categories of omni-moderation-latest.
const categories = "harassment harassment/threatening hate hate/threatening illicit illicit/violent self-harm " +
	"self-harm/instructions self-harm/intent sexual sexual/minors violence violence/graphic"

type moderationList struct {
	ID      string       `json:"id"`
	Model   string       `json:"model"`
	Results []moderation `json:"results"`
}

type moderation struct {
	Flagged    bool                `json:"flagged"`
	Categories map[string]bool     `json:"categories"`
	Scores     map[string]float64  `json:"category_scores"`
	Inputs     map[string][]string `json:"category_applied_input_types"`
}

// moderate answers POST /v1/moderations: an input is flagged, as violence, if
// it holds that word.
func moderate(x *exchange) answer {
	inputs := texts(x.ask.Input)
	if len(inputs) == 0 {
		return missing("input")
	}
	list := moderationList{ID: x.id("modr"), Model: x.ask.Model}
	for _, input := range inputs {
		m := moderation{
			Flagged:    strings.Contains(input, "violence"),
			Categories: map[string]bool{},
			Scores:     map[string]float64{},
			Inputs:     map[string][]string{},
		}
		for c := range strings.FieldsSeq(categories) {
			m.Categories[c], m.Scores[c], m.Inputs[c] = false, 0, []string{"text"}
		}
		if m.Flagged {
			m.Categories["violence"], m.Scores["violence"] = true, 1
		}
		list.Results = append(list.Results, m)
	}
	return whole(http.StatusOK, list)
}
