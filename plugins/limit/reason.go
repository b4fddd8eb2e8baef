package limit

// A reason is why a decision fell as it did.
type reason uint8

// The reasons.
const (
	admitted    reason = iota
	late               // before its time
	manyTokens         // more tokens than there are
	crowded            // too many in flight
	spent              // more money than there is
	unavailable        // the store cannot be asked, and the rule is closed then
	priceless          // the model has no price, and the rule a budget
	reasons            // how many there are
)

// String returns the reason as the label decision has it; but for the first it
// is the code of the answer.
func (r reason) String() string {
	return [...]string{
		"admitted", "rate_limit_exceeded", "tokens_exceeded", "concurrency_exceeded", "budget_exceeded", "limits_unavailable",
		"model_unpriced",
	}[r]
}

// reason returns why a limit of the kind refuses.
func (k kind) reason() reason {
	switch k {
	case kindRequests:
		return late
	case kindFlight:
		return crowded
	case kindBudget:
		return spent
	}
	return manyTokens
}
