package limit

import (
	"time"
)

// Settings say how many requests may pass, and how much they may use.
type Settings struct {
	// MaxInFlight is how many requests may be in flight at once in this
	// replica, whoever sends them, from the first byte to the end of the answer.
	// 0 is no limit.
	MaxInFlight int64 `koanf:"max_in_flight" jsonschema:"minimum=0"`

	// Rules are further limits, by name. A request passes if it passes all.
	Rules map[string]Rule `koanf:"rules" env:"named"`

	// Estimate says how the tokens of a request are estimated before it is
	// answered.
	Estimate Estimate `koanf:"estimate"`

	// OnBroken says what counts of an answer that broke off before it told what
	// it has used, or whose client left: partial is what had come by then,
	// reserved is the estimate that was reserved, free is nothing.
	OnBroken string `koanf:"on_broken" jsonschema:"enum=partial,enum=reserved,enum=free"`

	// CountHits is whether an answer of the cache keeps the tokens and the money
	// that were reserved for it. Requests count in any case.
	CountHits bool `koanf:"count_hits"`

	// Unpriced says what becomes of a request for a model without a price where
	// a rule has a budget: refuse, or free, which lets it pass and counts
	// nothing.
	Unpriced string `koanf:"unpriced" jsonschema:"enum=refuse,enum=free"`

	// Hint is what a request is told to wait that was refused because too many
	// are in flight, or because the store cannot be asked: nobody knows when
	// that ends.
	Hint time.Duration `koanf:"hint"`

	// Headers are the headers that tell every client how it stands.
	Headers Headers `koanf:"headers"`

	// Store is about the Redis that replicas share. It means nothing without
	// one.
	Store Store `koanf:"store"`
}

// A Rule limits one or more of: requests in a period, tokens in a period,
// requests in flight, money.
type Rule struct {
	// Per says who shares the rule: global is one for all; client, group,
	// model, client+model and header are one for each client, group of clients,
	// model that is asked for, model of each client, and value of a header.
	Per string `koanf:"per" jsonschema:"enum=global,enum=client,enum=group,enum=model,enum=client+model,enum=header"`

	// Header is the name of the header whose values have a limit each, with
	// per: header.
	Header string `koanf:"header"`

	// Models are globs of the models that the rule is about. Without any it is
	// about all requests.
	Models []string `koanf:"models"`

	// Requests is how many requests may begin per period in the long run.
	// 0 is no limit.
	Requests int64 `koanf:"requests" jsonschema:"minimum=0"`

	// Period is the time that requests counts for. 0 is a minute.
	Period time.Duration `koanf:"period"`

	// Burst is how many of the requests may come at once after a pause. 0 is as
	// many as requests.
	Burst int64 `koanf:"burst" jsonschema:"minimum=0"`

	// Tokens limits the tokens of questions and answers together.
	Tokens Tokens `koanf:"tokens"`

	// InputTokens limits the tokens of questions.
	InputTokens Tokens `koanf:"input_tokens"`

	// OutputTokens limits the tokens of answers.
	OutputTokens Tokens `koanf:"output_tokens"`

	// InFlight is how many requests may be in flight at once, in all replicas
	// together. 0 is no limit.
	InFlight int64 `koanf:"in_flight" jsonschema:"minimum=0"`

	// Queue has requests wait for in_flight, in place of being refused.
	Queue Queue `koanf:"queue"`

	// Budget limits money.
	Budget Budget `koanf:"budget"`

	// Shadow is whether the rule only counts and reports, and refuses nothing.
	Shadow bool `koanf:"shadow"`

	// OnStoreDown says what becomes of the rule while the shared store cannot
	// be asked: local holds each replica to its share of the limits, open lets
	// everything pass, closed refuses everything. Empty is local.
	OnStoreDown string `koanf:"on_store_down" jsonschema:"enum=,enum=local,enum=open,enum=closed"`

	// Clients are other numbers for single clients, by name.
	Clients map[string]Override `koanf:"clients"`

	// Groups are other numbers for the clients of a group, by its name, or for
	// the group itself. A client's own go first.
	Groups map[string]Override `koanf:"groups"`
}

// Tokens limit tokens in a period.
type Tokens struct {
	// Limit is how many tokens per period may be used in the long run. 0 is no
	// limit.
	Limit int64 `koanf:"limit" jsonschema:"minimum=0"`

	// Period is the time that limit counts for. 0 is a minute.
	Period time.Duration `koanf:"period"`

	// Burst is how many of the tokens may be used at once after a pause, and so
	// the most that one request may need. 0 is as many as limit.
	Burst int64 `koanf:"burst" jsonschema:"minimum=0"`
}

// A Queue has requests wait for one of those in flight to end.
type Queue struct {
	// Size is how many requests may wait at once, in this replica. 0 is no
	// queue.
	Size int `koanf:"size" jsonschema:"minimum=0"`

	// MaxWait is how long a request waits at most before it is refused.
	MaxWait time.Duration `koanf:"max_wait"`
}

// A Budget limits money in a window of time.
type Budget struct {
	// USD is how many US dollars may be spent in the window. 0 is no limit.
	USD float64 `koanf:"usd" jsonschema:"minimum=0,maximum=9000000"`

	// Per is the window: day or month of the calendar in UTC, or rolling, the
	// last length. Empty is day.
	Per string `koanf:"per" jsonschema:"enum=,enum=day,enum=month,enum=rolling"`

	// Length is how long a rolling window is.
	Length time.Duration `koanf:"length"`
}

// An Override is other numbers of a rule for a client or a group: of those that
// it sets. 0 lifts a limit.
type Override struct {
	// Requests are in place of the rule's.
	Requests *int64 `koanf:"requests" jsonschema:"minimum=0"`

	// Burst is in place of the rule's. 0 is as many as requests.
	Burst *int64 `koanf:"burst" jsonschema:"minimum=0"`

	// Tokens are in place of the rule's tokens.limit.
	Tokens *int64 `koanf:"tokens" jsonschema:"minimum=0"`

	// InputTokens are in place of the rule's input_tokens.limit.
	InputTokens *int64 `koanf:"input_tokens" jsonschema:"minimum=0"`

	// OutputTokens are in place of the rule's output_tokens.limit.
	OutputTokens *int64 `koanf:"output_tokens" jsonschema:"minimum=0"`

	// InFlight is in place of the rule's.
	InFlight *int64 `koanf:"in_flight" jsonschema:"minimum=0"`

	// USD is in place of the rule's budget.usd.
	USD *float64 `koanf:"usd" jsonschema:"minimum=0,maximum=9000000"`
}

// Headers switch the headers of an answer on and off.
type Headers struct {
	// OpenAI is for x-ratelimit-limit-requests, x-ratelimit-remaining-requests
	// and x-ratelimit-reset-requests, and the same of tokens.
	OpenAI bool `koanf:"openai"`

	// Plain is for X-RateLimit-Limit, X-RateLimit-Remaining and
	// X-RateLimit-Reset.
	Plain bool `koanf:"plain"`

	// Mode is for X-Relay-Limit-Mode, which tells by what a request was decided.
	Mode bool `koanf:"mode"`
}

// Store is about the Redis that replicas share.
type Store struct {
	// Deadline is the most that a request waits for the store.
	Deadline time.Duration `koanf:"deadline"`

	// Failures is after how many failures in a row the store is left alone,
	// but for a probe now and then.
	Failures int `koanf:"failures" jsonschema:"minimum=1,maximum=1000"`

	// Lease is after how long requests in flight no longer count whose replica
	// has crashed.
	Lease time.Duration `koanf:"lease"`

	// Replicas is of how many replicas each has its share while the store cannot
	// be asked. 0 is as many as were alive before.
	Replicas int `koanf:"replicas" jsonschema:"minimum=0,maximum=10000"`

	// Shard says how the counters are spread over a Redis Cluster: none keeps
	// all in one slot, where all rules of a request are decided in one step;
	// client spreads them by client.
	Shard string `koanf:"shard" jsonschema:"enum=none,enum=client"`
}

// Values of settings that name a choice.
const (
	perGlobal      = "global"
	perClient      = "client"
	perGroup       = "group"
	perModel       = "model"
	perClientModel = "client+model"
	perHeader      = "header"

	downLocal  = "local"
	downOpen   = "open"
	downClosed = "closed"

	brokenPartial  = "partial"
	brokenReserved = "reserved"
	brokenFree     = "free"

	unpricedRefuse = "refuse"
	unpricedFree   = "free"

	budgetDay     = "day"
	budgetMonth   = "month"
	budgetRolling = "rolling"

	shardNone   = "none"
	shardClient = "client"
)

// replica is the name under which max_in_flight stands among the rules.
const replica = "max_in_flight"

// Defaults returns the settings of a chain that names limit and says no more:
// 100 requests in flight and no rate.
func Defaults() Settings {
	return Settings{
		MaxInFlight: 100,
		Estimate:    estimateDefaults(),
		OnBroken:    brokenPartial,
		Unpriced:    unpricedRefuse,
		Hint:        time.Second,
		Headers:     Headers{OpenAI: true, Plain: true, Mode: true},
		Store:       Store{Deadline: 50 * time.Millisecond, Failures: 3, Lease: 30 * time.Second, Shard: shardNone},
	}
}
