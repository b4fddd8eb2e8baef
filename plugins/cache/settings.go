package cache

import (
	"time"

	"github.com/holysheep/relay/plugins"
)

// Settings say which answers are kept, for how long, where, and for whom.
type Settings struct {
	// TTL is how long an answer is given again, unless its upstream says less. A
	// change holds for answers that are stored already. 0 turns the cache off.
	TTL time.Duration `koanf:"ttl"`

	// TTLJitter is by which part of ttl at the most an answer is given again for
	// a shorter time, so that what was stored together does not end together.
	// How much it is of one answer follows from its key. 0 is not at all.
	TTLJitter float64 `koanf:"ttl_jitter" jsonschema:"minimum=0,maximum=0.5"`

	// StaleWhileRevalidate is for how long after its ttl an answer is still given,
	// while a new one is asked for in the background (RFC 5861, section 3).
	StaleWhileRevalidate time.Duration `koanf:"stale_while_revalidate"`

	// StaleIfError is for how long after its ttl an answer is given where the
	// upstream answers with 500, 502, 503 or 504 or not at all (RFC 5861, section
	// 4).
	StaleIfError time.Duration `koanf:"stale_if_error"`

	// MaxBytes is the memory of this replica for all stored answers: their keys,
	// headers and bodies, and what it takes to keep them. Recordings of answers
	// on their way have as much again. 0 keeps none in memory.
	MaxBytes plugins.Size `koanf:"max_bytes"`

	// MaxValue is the longest body of an answer that is stored.
	MaxValue plugins.Size `koanf:"max_value"`

	// MaxBody is the longest body of a request that is looked at. What max_replay
	// of the server cannot hold is never looked at.
	MaxBody plugins.Size `koanf:"max_body"`

	// Sampled also stores answers that are drawn at random, or may be: to
	// generating requests that ask neither for temperature 0 nor for a seed, or
	// for several choices.
	Sampled bool `koanf:"sampled"`

	// Effects also stores answers to requests that do something besides being
	// answered, or whose answer depends on what the upstream keeps or looks up.
	Effects bool `koanf:"effects"`

	// StoreFallback also stores the answers of a model that the one asked for
	// falls back on.
	StoreFallback bool `koanf:"store_fallback"`

	// Scope says who shares answers: client is nobody with anybody else, group
	// is the clients of a group, shared is everybody who may use the relay.
	Scope string `koanf:"scope" jsonschema:"enum=client,enum=group,enum=shared"`

	// Endpoints are the paths whose answers may be stored. An asterisk stands
	// for one segment other than the last.
	Endpoints []string `koanf:"endpoints"`

	// Models are globs of the models whose answers may be stored. Without any it
	// is all of them, and requests that name none.
	Models []string `koanf:"models"`

	// Headers are more request headers that change an answer, besides those
	// that the README lists: requests that differ in one share no answer.
	Headers []string `koanf:"headers"`

	// Version is any text, and part of what an answer is found by: a change of
	// it empties the cache in effect. Change it with an upstream whose answers
	// must not be given any more, which the cache cannot know.
	Version string `koanf:"version"`

	// Convert answers a chat completion that is asked for in one piece from a
	// stream that was stored, and the other way round. Equal requests in either
	// form are one then: the second waits for the first.
	Convert bool `koanf:"convert"`

	// ReplayInterval is the pause between two events of a stored stream. 0 is as
	// fast as the client reads.
	ReplayInterval time.Duration `koanf:"replay_interval"`

	// Coalesce is about equal requests that are on their way at the same time.
	Coalesce Coalesce `koanf:"coalesce"`

	// Redis is about answers in the Redis that replicas share. It means nothing
	// without one.
	Redis Redis `koanf:"redis"`

	// Semantic answers questions that mean the same with the same answer.
	Semantic Semantic `koanf:"semantic"`

	// Rules are other settings for some endpoints, models, clients or groups, by
	// name. One rule holds for a request: of those that fit the one of the
	// lowest priority, and of several of these the first by name.
	Rules map[string]Rule `koanf:"rules" env:"named"`
}

// Coalesce is about equal requests that are on their way at the same time.
type Coalesce struct {
	// Enabled has equal requests of those who share answers share one call of an
	// upstream.
	Enabled bool `koanf:"enabled"`

	// Wait is how long a request waits for the answer that another replica is
	// getting, before it asks an upstream itself. 0 does not wait.
	Wait time.Duration `koanf:"wait"`

	// Lease is after how long others no longer wait for a replica that has
	// crashed.
	Lease time.Duration `koanf:"lease"`
}

// Redis is about answers in the Redis that replicas share.
type Redis struct {
	// Enabled keeps answers in Redis, if there is one.
	Enabled bool `koanf:"enabled"`

	// Deadline is the most that a request waits for Redis, each time that it
	// looks there.
	Deadline time.Duration `koanf:"deadline"`
}

// Semantic answers questions that mean the same with the same answer. It can
// be wrong: see the README.
type Semantic struct {
	// Enabled looks for stored answers by what the last message of a user means.
	Enabled bool `koanf:"enabled"`

	// Model is the model of the embeddings, asked as any other of the upstreams'
	// models.
	Model string `koanf:"model"`

	// Dimensions is how many numbers an embedding is asked to have. 0 leaves it
	// to the model.
	Dimensions int `koanf:"dimensions" jsonschema:"minimum=0,maximum=16384"`

	// Threshold is the least cosine similarity of two questions that share an
	// answer.
	Threshold float64 `koanf:"threshold" jsonschema:"minimum=0.5,maximum=1"`

	// MaxEntries is how many questions are kept in this replica.
	MaxEntries int `koanf:"max_entries" jsonschema:"minimum=1,maximum=1000000"`

	// Timeout is how long a request waits for the embedding of its question.
	Timeout time.Duration `koanf:"timeout"`

	// Redis keeps the embeddings in Redis too, which must have vector sets.
	Redis bool `koanf:"redis"`
}

// A Rule is other settings for some requests. What it does not set is as it is
// set outside of the rules.
type Rule struct {
	// Priority says which of several rules that fit holds: the lowest.
	Priority int `koanf:"priority"`

	// Endpoints are the paths that the rule is about, as those outside of the
	// rules. Without any it is these.
	Endpoints []string `koanf:"endpoints"`

	// Models are globs of the models that the rule is about. Without any it is
	// those outside of the rules.
	Models []string `koanf:"models"`

	// Clients are the clients that the rule is about. Without clients and groups
	// it is about everybody.
	Clients []string `koanf:"clients"`

	// Groups are the groups whose clients the rule is about.
	Groups []string `koanf:"groups"`

	// TTL is in place of the ttl outside of the rules. 0 stores nothing.
	TTL *time.Duration `koanf:"ttl"`

	// StaleWhileRevalidate is in place of the one outside of the rules.
	StaleWhileRevalidate *time.Duration `koanf:"stale_while_revalidate"`

	// StaleIfError is in place of the one outside of the rules.
	StaleIfError *time.Duration `koanf:"stale_if_error"`

	// Sampled is in place of the one outside of the rules.
	Sampled *bool `koanf:"sampled"`

	// Effects is in place of the one outside of the rules.
	Effects *bool `koanf:"effects"`

	// StoreFallback is in place of the one outside of the rules.
	StoreFallback *bool `koanf:"store_fallback"`

	// Scope is in place of the one outside of the rules. Empty is that one.
	Scope string `koanf:"scope" jsonschema:"enum=,enum=client,enum=group,enum=shared"`

	// Convert is in place of the one outside of the rules.
	Convert *bool `koanf:"convert"`

	// Coalesce is in place of coalesce.enabled.
	Coalesce *bool `koanf:"coalesce"`

	// Semantic is in place of semantic.enabled.
	Semantic *bool `koanf:"semantic"`
}

// Defaults returns the settings of a chain that names cache and says no more.
func Defaults() Settings {
	return Settings{
		TTL:       time.Hour,
		TTLJitter: 0.1,
		Scope:     scopeClient,
		Coalesce:  Coalesce{Enabled: true, Wait: 10 * time.Second, Lease: 3 * time.Second},
		Redis:     Redis{Enabled: true, Deadline: 50 * time.Millisecond},
		Semantic:  Semantic{Threshold: 0.95, MaxEntries: 10_000, Timeout: 2 * time.Second},
		MaxBytes:  64 * plugins.MiB,
		MaxValue:  plugins.MiB,
		MaxBody:   plugins.MiB,
		Endpoints: []string{
			"/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages",
			"/v1/embeddings", "/v1/moderations", "/v1/rerank",
		},
	}
}
