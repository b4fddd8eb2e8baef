package plugins

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestThePriceOfAModel(t *testing.T) {
	prices := Prices{
		"gpt-4.1": {Input: 1}, "gpt-*": {Input: 2}, "*": {Input: 3}, "*-mini": {Input: 4}, "gpt-5*": {Input: 5}, "m*-a": {Input: 6}, "ma*a": {Input: 7},
	}
	for _, tt := range []struct {
		name, model, key string
	}{
		{"an exact name goes first", "gpt-4.1", "gpt-4.1"},
		{"a glob", "gpt-4o", "gpt-*"},
		{"the longest glob", "gpt-5-pro", "gpt-5*"},
		{"the first in the alphabet of two as long", "gpt-5-mini", "*-mini"},
		{"again, in whichever order they are met", "max-a", "m*-a"},
		{"a glob is no model", "gpt-5*", "gpt-5*"},
		{"the rest", "claude", "*"},
		{"no model has no price", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 20 { // a map has no order
				if got := prices.Key(tt.model); got != tt.key {
					t.Fatalf("the price of %q stands at %q, want %q", tt.model, got, tt.key)
				}
			}
			got, found := prices.Of(tt.model)
			if want := prices[tt.key]; got != want || found != (tt.key != "") {
				t.Errorf("%+v, %t, want %+v", got, found, want)
			}
		})
	}
	if _, found := (Prices{"gpt-*": {}}).Of("claude"); found {
		t.Error("a model that no glob fits has a price")
	}
}

func TestWhatARequestCosts(t *testing.T) {
	both := Price{Input: 8, Output: 60}
	all := Price{Input: 10, Output: 100, Cached: new(float64(1)), Written: new(float64(12.5)), Request: 0.01, Direct: &DirectPrice{Input: 20, Output: 300}}
	for _, tt := range []struct {
		name         string
		price        Price
		usage        Usage
		cost, direct int64
	}{
		{"input and output", both, Usage{Input: 1000, Output: 500}, 38_000_000, 38_000_000},
		{"cached tokens cost what input does, where nobody says", both, Usage{Input: 1000, Cached: 400, Written: 600}, 8_000_000, 8_000_000},
		{"every kind", all, Usage{Input: 1000, Cached: 500, Written: 100, Output: 10}, 16_750_000, 24_500_000},
		{"a request by itself", all, Usage{}, 10_000_000, 10_000_000},
		{"the least is rounded up", Price{Input: 0.000001}, Usage{Input: 1}, 1, 1},
		{"what is below it is not free", Price{Input: 1e-12}, Usage{Input: 1}, 1, 1},
		{"a request for thousands", Price{Input: 0.070519, Output: 4e-06, Request: 8192.000014}, Usage{Input: 7, Output: 5771342}, 8192000037580, 8192000037580},
		{"a sum is rounded once", Price{Input: 0.0001, Output: 0.0001}, Usage{Input: 5, Output: 5}, 1, 1},
		{"0.42 is no binary fraction", Price{Input: 0.42}, Usage{Input: 1_000_000}, 420_000_000, 420_000_000},
		{"free", Price{}, Usage{Input: 1000, Output: 1000}, 0, 0},
		{"more cached than there was", Price{Input: 1, Cached: new(float64(0))}, Usage{Input: 10, Cached: 20, Written: 20}, 0, 0},
		{"nonsense is nothing", both, Usage{Input: -1, Output: -1, Cached: -1, Written: -1}, 0, 0},
		{"the most", Price{Input: maxPrice, Output: maxPrice}, Usage{Input: maxTokens, Output: maxTokens}, 2_000_000_000_000_000_000, 2_000_000_000_000_000_000},
		{"beyond what fits", Price{Input: maxPrice}, Usage{Input: math.MaxInt64}, math.MaxInt64, math.MaxInt64},
		{"to count tokens costs nothing", all, Usage{Input: 1000, Counted: true}, 0, 0},
		{"free here", Price{Cached: new(float64(1)), Direct: &DirectPrice{Input: 1}}, Usage{Input: 10, Cached: 5}, 5000, 10_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.price.Cost(tt.usage); got != tt.cost {
				t.Errorf("it costs %d, want %d", got, tt.cost)
			}
			if got := tt.price.CostDirect(tt.usage); got != tt.direct {
				t.Errorf("it costs %d at the maker, want %d", got, tt.direct)
			}
		})
	}
}

func TestACostIsExact(t *testing.T) {
	price := rapid.Map(rapid.Int64Range(0, maxPrice*picoToken), func(millionths int64) float64 { return float64(millionths) / picoToken })
	tokens := rapid.Int64Range(0, 6*maxTokens)
	rapid.Check(t, func(t *rapid.T) {
		p := Price{Input: price.Draw(t, "input"), Output: price.Draw(t, "output"), Request: price.Draw(t, "request")}
		u := Usage{Input: tokens.Draw(t, "in"), Output: tokens.Draw(t, "out")}
		want := new(big.Rat).SetInt64(999) // picodollars
		add := func(n int64, dollars float64, pico int64) {
			each := new(big.Rat).SetInt64(int64(math.Round(dollars*picoToken)) * (pico / picoToken))
			want.Add(want, each.Mul(each, new(big.Rat).SetInt64(n)))
		}
		add(u.Input, p.Input, picoToken)
		add(u.Output, p.Output, picoToken)
		add(1, p.Request, 1_000_000_000_000)
		nano := new(big.Int).Div(want.Num(), big.NewInt(1000))
		if !nano.IsInt64() {
			nano.SetInt64(math.MaxInt64)
		}
		if got := p.Cost(u); got != nano.Int64() {
			t.Errorf("%+v costs %d at %+v, want %s", u, got, p, nano)
		}
	})
}

func TestPricesThatCanBeNone(t *testing.T) {
	err := Prices{
		"":        {},
		"gpt-4.1": {Input: -1, Output: math.NaN(), Cached: new(float64(-2)), Written: new(float64(math.Inf(1))), Request: 2e6, Direct: &DirectPrice{Input: 1e7, Output: -3}},
		"good":    {Input: maxPrice, Cached: new(float64(0)), Direct: &DirectPrice{}},
	}.Validate()
	want := []string{
		"prices: holds an empty name: name a model, or a glob such as gpt-*",
		"prices.gpt-4.1.input: -1 is negative",
		"prices.gpt-4.1.output: NaN is no price",
		"prices.gpt-4.1.cached: -2 is negative",
		"prices.gpt-4.1.written: +Inf is no price",
		"prices.gpt-4.1.request: 2e+06 is above 1000000 dollars",
		"prices.gpt-4.1.direct.input: 1e+07 is above 1000000 dollars",
		"prices.gpt-4.1.direct.output: -3 is negative",
	}
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if err := DefaultPrices().Validate(); err != nil {
		t.Errorf("the defaults are not valid: %v", err)
	}
}

// The price list compares 1M tokens at 60 dollars with 1M at 8.
func TestTheDefaultPricesAreThoseOfTheList(t *testing.T) {
	u := Usage{Input: 400_000, Output: 600_000}
	for model, want := range map[string][2]int64{
		"gpt-4.1":           {8 * Dollar, 60 * Dollar},
		"claude-sonnet-4.5": {15 * Dollar, 90 * Dollar},
		"gemini-2.5-flash":  {2.5 * Dollar, 15 * Dollar},
		"deepseek-v3.2":     {0.42 * Dollar, 2.8 * Dollar},
	} {
		p, found := DefaultPrices().Of(model)
		if got := [2]int64{p.Cost(u), p.CostDirect(u)}; got != want || !found {
			t.Errorf("%s costs %d here and at its maker, want %d", model, got, want)
		}
	}
}

func BenchmarkCost(b *testing.B) {
	prices := DefaultPrices()
	prices["gpt-*"], prices["claude-*"] = Price{Input: 3}, Price{Input: 4}
	u := Usage{Input: 1200, Output: 300, Cached: 1000}
	b.ReportAllocs()
	for b.Loop() {
		p, _ := prices.Of("gpt-4o")
		if p.Cost(u) == 0 {
			b.Fatal("free")
		}
	}
}
