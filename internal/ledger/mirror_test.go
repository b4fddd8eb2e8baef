package ledger

import (
	"testing"
	"time"
)

// used returns how the claim stands.
func used(m *Memory, c Claim) int64 {
	claims := []Claim{c}
	m.Read(claims)
	return claims[0].Used
}

func TestWhatIsLearnedIsHowItStands(t *testing.T) {
	day, hour := Window{Calendar: Day}, Window{Length: time.Hour}
	start := time.Date(2027, time.March, 10, 23, 30, 0, 0, time.UTC)
	tomorrow := time.Date(2027, time.March, 11, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name    string
		counter Counter
		at      time.Time // what the store says; of the budgets of a day
		before  int64     // taken here before, half of it 10 minutes ago
		told    int64     // Used, of 100
		now     int64     // what stands here then
		later   int64     // and at midnight
	}{
		{name: "a rate, more", counter: Counter{Kind: KindRate}, told: 70, now: 70},
		{name: "a rate, less", counter: Counter{Kind: KindRate}, before: 80, told: 30, now: 30},
		{name: "a full bucket", counter: Counter{Kind: KindRate}, before: 80, told: 0, now: 0},
		{name: "a day, more", counter: Counter{Kind: KindBudget, Window: day}, at: start, before: 20, told: 70, now: 70},
		{name: "a day, less", counter: Counter{Kind: KindBudget, Window: day}, at: start, before: 80, told: 30, now: 30},
		{name: "a day that is over here later", counter: Counter{Kind: KindBudget, Window: day}, at: tomorrow, before: 80, told: 5, now: 80, later: 5},
		{name: "an hour, more", counter: Counter{Kind: KindBudget, Window: hour}, before: 20, told: 70, now: 70, later: 70},
		{name: "an hour, less", counter: Counter{Kind: KindBudget, Window: hour}, before: 80, told: 30, now: 30, later: 30},
		{name: "an hour, nothing", counter: Counter{Kind: KindBudget, Window: hour}, before: 80, told: 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := &hand{now: start.Add(-10 * time.Minute)}
			m := NewMemory(h.read)
			takeOne(m, &tt.counter, tt.before/2, 100)
			h.now = start
			takeOne(m, &tt.counter, tt.before/2, 100)
			c := Claim{Counter: &tt.counter, Limit: 100, Used: tt.told, At: tt.counter.Window.Slice(tt.at.UnixMicro())}
			m.Learn([]Claim{c})
			if got := used(m, c); got != tt.now {
				t.Errorf("%d is used, want %d", got, tt.now)
			}
			h.now = tomorrow
			if got := used(m, c); got != tt.later {
				t.Errorf("at midnight %d is used, want %d", got, tt.later)
			}
		})
	}
}

// What left the window at the store leaves it here: what is too much is the
// oldest.
func TestOfARollingWindowTheOldestIsForgotten(t *testing.T) {
	h := &hand{now: time.Date(2027, time.March, 10, 12, 0, 0, 0, time.UTC)}
	m, c := NewMemory(h.read), &Counter{Name: "a", Kind: KindBudget, Window: Window{Length: time.Hour}}
	takeOne(m, c, 30, 100)
	h.now = h.now.Add(30 * time.Minute)
	takeOne(m, c, 50, 100)
	claim := Claim{Counter: c, Limit: 100, Used: 50}
	m.Learn([]Claim{claim})
	h.now = h.now.Add(40 * time.Minute)
	if got := used(m, claim); got != 50 {
		t.Errorf("%d is used, want 50", got)
	}
}

func TestAHeldTicketGivesBackItsFlightsOnly(t *testing.T) {
	m := NewMemory(time.Now)
	flight, rate := &Counter{Name: "a", Kind: KindFlight}, &Counter{Name: "b", Kind: KindRate}
	budget := &Counter{Name: "c", Kind: KindBudget, Window: Window{Calendar: Month}}
	hour := int64(time.Hour / time.Microsecond)
	claims := []Claim{
		{Counter: flight, Cost: 1, Limit: 2, Taken: true, Mode: ModeShared},
		{Counter: flight, Subject: Subject{A: "not taken"}, Cost: 1, Limit: 2, Mode: ModeShared},
		{Counter: rate, Cost: hour, Limit: hour, Used: hour, Taken: true, Mode: ModeShared},
		{Counter: budget, Cost: 5, Limit: 10, Used: 5, Taken: true, Mode: ModeShared, At: budget.Window.Slice(time.Now().UnixMicro())},
	}
	held := &Ticket{Lease: 7, Claims: claims}
	m.Learn(held.Claims)
	m.Hold(held)
	if got := used(m, Claim{Counter: flight}); got != 1 {
		t.Errorf("%d are held, want 1", got)
	}
	if got := used(m, Claim{Counter: flight, Subject: Subject{A: "not taken"}}); got != 0 {
		t.Errorf("%d are held that were not taken", got)
	}
	if _, next := takeOne(m, flight, 1, 2); next.Lease <= held.Lease {
		t.Errorf("lease %d comes after %d", next.Lease, held.Lease)
	}
	m.Settle(held)
	if got := used(m, Claim{Counter: flight}); got != 1 {
		t.Errorf("%d are held, want 1", got)
	}
	if got := used(m, Claim{Counter: rate, Limit: hour}); got < hour/2 {
		t.Errorf("%d of the rate is used: it was settled here", got)
	}
	if got := used(m, Claim{Counter: budget}); got != 5 {
		t.Errorf("%d of the budget is used: it was settled here", got)
	}
}

func TestAClaimThatNobodyDecidedOnIsNotSettled(t *testing.T) {
	m, c := NewMemory(time.Now), &Counter{Name: "a", Kind: KindFlight}
	takeOne(m, c, 1, 2)
	m.Settle(&Ticket{Lease: 9, Claims: []Claim{{Counter: c, Taken: true, Mode: ModeOpen}}})
	if got := used(m, Claim{Counter: c}); got != 1 {
		t.Errorf("%d are held, want 1", got)
	}
}

func TestDepthsAreThoseOfTheBuckets(t *testing.T) {
	m := NewMemory(time.Now)
	rate := &Counter{Name: "each.requests", Kind: KindRate}
	budget := &Counter{Name: "each.budget", Kind: KindBudget, Window: Window{Calendar: Day}}
	ada, bob := Subject{A: "ada"}, Subject{A: "bob"}
	m.Learn([]Claim{{Counter: rate, Subject: ada, Used: 5e6, Limit: 10e6}, {Counter: budget, Subject: ada, Used: 5, Limit: 10}})
	claims := []Claim{{Counter: rate, Subject: ada, Limit: 1}, {Counter: rate, Subject: bob, Limit: 1}, {Counter: budget, Subject: ada, Limit: 1}}
	m.Depths(claims)
	for i, want := range []int64{10e6, 1, 1} {
		if claims[i].Limit != want {
			t.Errorf("claim %d has the limit %d, want %d", i, claims[i].Limit, want)
		}
	}
}
