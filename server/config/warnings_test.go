package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestWhatIsOddIsWarnedOf(t *testing.T) {
	const budget = "plugins: {limit: {rules: {a: {per: client, budget: {usd: 5}}}}}\n"
	const noRedis = " has no effect: redis.addresses names no Redis"
	pool := func(models string) string {
		return "upstreams: {one: {base_url: \"https://one.example.com/v1\", " + models + "}}\n"
	}
	tests := []struct {
		name, file string
		environ    []string
		want       []string
	}{
		{"nothing", minimal, nil, nil},
		{"REDIS_PASSWORD needs no Redis", minimal, []string{"REDIS_PASSWORD=canary"}, nil},
		{"passwords of the file without a Redis", minimal + "redis: {password_file: /run/a, sentinel: {password_env: B}}", nil, []string{
			"redis.password_file" + noRedis, "redis.sentinel.password_env" + noRedis,
		}},
		{"a password of a Redis", minimal + "redis: {addresses: [a:1]}", []string{"REDIS_PASSWORD=canary"}, nil},
		{"a budget for models without a price", budget + pool(`models: [o3, gpt-4.1, "x-*"], rewrite: {o4: o3}`), nil, []string{
			"plugins.limit.rules.a.budget: it refuses every request for o3, o4, which prices does not name: name it there, or set unpriced: free",
		}},
		{"what looks like a key among them", budget + pool("models: [sk-canary1234]"), nil, []string{
			"plugins.limit.rules.a.budget: it refuses every request for (hidden), which prices does not name: name it there, or set unpriced: free",
		}},
		{"a budget outside of the chain", budget + pool("models: [o3]") + "chain: [retry]", nil, nil},
		{"a price by a glob", budget + pool("models: [o3]") + "prices: {\"o*\": {input: 1}}", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			loaded, err := loadBuiltin(tt.file, tt.environ...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, warnings(loaded), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}
