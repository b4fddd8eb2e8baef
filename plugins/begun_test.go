package plugins_test

import (
	"testing"

	"github.com/holysheep/relay/plugins"
)

func TestTheTimeLimitWaitsForAStreamThatHasBegun(t *testing.T) {
	tests := []struct {
		name  string
		does  func(c *plugins.Call, expire func())
		times int
	}{
		{"nothing has begun", func(_ *plugins.Call, expire func()) { expire() }, 1},
		{"a stream has begun", func(c *plugins.Call, expire func()) { c.SetBegun(true); expire() }, 0},
		{"a stream had begun and came to nothing", func(c *plugins.Call, expire func()) {
			c.SetBegun(true)
			c.SetBegun(false)
			expire()
		}, 1},
		{"a stream has begun and comes to nothing too late", func(c *plugins.Call, expire func()) {
			c.SetBegun(true)
			expire()
			c.SetBegun(false)
			c.SetBegun(false)
		}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, times := plugins.NewCall("", nil), 0
			tt.does(c, func() { c.Expire(func() { times++ }) })
			if times != tt.times {
				t.Errorf("the time limit ended the request %d times, want %d", times, tt.times)
			}
		})
	}
}
