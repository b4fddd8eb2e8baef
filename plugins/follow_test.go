package plugins_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins"
)

// using notes an attempt that has used so many tokens.
func using(c *plugins.Call, upstream string, output int64) {
	a := &plugins.Attempt{}
	a.Begin(upstream, "", "m", 0)
	a.SetUsage(plugins.Usage{Output: output, Source: plugins.UsageReported})
	c.Trail.Begin(a)
}

func TestACallAnswersForWhatAnotherAsks(t *testing.T) {
	first, second, asked := plugins.NewCall("1", nil), plugins.NewCall("2", nil), plugins.NewCall("1", nil)
	first.Trail.Note("before", 0)
	first.Adopt(asked)
	using(asked, "here", 7)
	if first.Trail.Last() != "here" || first.Usage().Output != 7 || first.Trail.Attempts() != 1 {
		t.Errorf("it asked %s and used %d, want here and 7", first.Trail.Last(), first.Usage().Output)
	}
	first.Disown()
	second.Adopt(asked)
	using(asked, "there", 9)
	if first.Trail.Last() != "before" || first.Usage().Output != 0 {
		t.Errorf("who has disowned it asked %s, used %d, want what it asked itself", first.Trail.Last(), first.Usage().Output)
	}
	if !second.Trail.Asked("here") || second.Trail.Last() != "there" || second.Usage().Output != 9 {
		t.Errorf("who has adopted it asked %s, used %d, want there and 9", second.Trail.Last(), second.Usage().Output)
	}
}

func TestHeadersAreAdoptedByThemselves(t *testing.T) {
	c, asked := plugins.NewCall("1", nil), plugins.NewCall("1", nil)
	c.SetHeader("X-Mine", "1")
	c.SetHeader("X-Both", "mine")
	asked.SetHeader("X-Both", "theirs")
	asked.SetHeader("X-Theirs", "1")
	c.Adopt(asked)
	if c.Header("X-Theirs") != "" {
		t.Error("the headers came with the attempts, want them left to AdoptHeaders")
	}
	c.AdoptHeaders(asked)
	got := []string{c.Header("X-Mine"), c.Header("X-Both"), c.Header("X-Theirs")}
	if diff := cmp.Diff([]string{"1", "theirs", "1"}, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

// A time limit on the beginning of an answer means what is asked for the call.
func TestATimeLimitHoldsForWhatIsAsked(t *testing.T) {
	tests := []struct {
		name  string
		begin func(asked *plugins.Call)
		end   func(c, asked *plugins.Call)
		want  [2]bool // whether the limit has struck: before the end, and after it
	}{
		{"nothing has begun", func(*plugins.Call) {}, func(_, _ *plugins.Call) {}, [2]bool{true, true}},
		{
			"a stream has begun that comes to nothing", func(asked *plugins.Call) { asked.SetBegun(true) },
			func(_, asked *plugins.Call) { asked.SetBegun(false) },
			[2]bool{false, true},
		},
		{"a stream has begun", func(asked *plugins.Call) { asked.SetBegun(true) }, func(_, _ *plugins.Call) {}, [2]bool{false, false}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, asked := plugins.NewCall("1", nil), plugins.NewCall("1", nil)
			c.Follow(asked)
			tt.begin(asked)
			struck := false
			c.Expire(func() { struck = true })
			before := struck
			tt.end(c, asked)
			if diff := cmp.Diff(tt.want, [2]bool{before, struck}); diff != "" {
				t.Errorf("struck (-want +got):\n%s", diff)
			}
		})
	}
}
