package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// counting is a configuration with rules of several kinds, whose counters stay
// as they are.
const counting = `
chain: [auth, limit, cache, retry]
admin_token_env: TOKEN
plugins:
  auth: {clients: {tester: {group: testers, keys: {one: {sha256: HASH}}}}}
  limit:
    rules:
      each: {per: client, requests: 1, period: 1000h, burst: 5}
      money: {per: global, budget: {usd: 2.5}, shadow: true}
      models: {per: client+model, models: ["gpt-*"], requests: 9}
`

// limits runs "relay limits" with the arguments on the relay's configuration
// and in its environment.
func (r *running) limits(t *testing.T, args ...string) (out, errs string) {
	t.Helper()
	s := shell{environ: append([]string{"UPSTREAM_KEY=" + upstreamKey}, r.Environ...)}
	p := s.process(append([]string{"limits", "--config", r.Config, "--live", r.AdminURL}, args...)...)
	if err := p.run(t.Context()); (err != nil) != (s.err.All() != "") {
		t.Errorf("%q: %v, but standard error is %q", args, err, s.err.All())
	}
	checkSecrets(t, strings.Join(args, " "), s.out.All()+s.err.All())
	return s.out.All(), s.err.All()
}

// tableRows returns the table with single blanks.
func tableRows(out string) []string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for i, line := range lines {
		lines[i] = strings.Join(strings.Fields(line), " ")
	}
	return lines
}

func TestLimitsPrintsAndResets(t *testing.T) {
	r := &running{Log: &logs{}, Environ: []string{"TOKEN=" + adminToken}}
	r.start(t, counting, "http://127.0.0.1:1/v1")
	for range 2 {
		do(t, r.request(t, http.MethodGet, "/v1/models", ""))
	}
	for _, tt := range []struct {
		name string
		args []string
		want []string // the beginnings of lines
	}{
		{"everybody", nil, []string{"RULE WHOSE KIND USED LIMIT REMAINING RESETS IN MODE", "max_in_flight all in_flight 0 100 100 - memory", "each tester requests 2 5 3 ", "money (shadow) all budget $0.00 $2.50 $2.50 ", "models: nothing is in use"}},
		{"a client", []string{"ada", "--model", "gpt-4"}, []string{"RULE", "max_in_flight", "each ada requests 0 5 5 - memory", "models ada gpt-4 requests 0 9 9 - memory", "money (shadow) all", `no client is named "ada" in the configuration`}},
		{"a client without a name", []string{""}, []string{"RULE", "max_in_flight", "each (none) requests 0 5 5", "money (shadow)", "models: nothing"}},
		{"a reset", []string{"--reset", "each", "--kind", "requests", "tester"}, []string{"RULE", "each tester requests 2 5 3 ", "reset: this is how they stood before"}},
		{"after the reset", []string{"tester"}, []string{"RULE", "max_in_flight", "each tester requests 0 5 5"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, errs := r.limits(t, tt.args...)
			lines := tableRows(out)
			for i, want := range tt.want {
				if i >= len(lines) || !strings.HasPrefix(lines[i], want) || errs != "" {
					t.Fatalf("line %d lacks %q:\n%s%s", i, want, out, errs)
				}
			}
		})
	}
	checkSecrets(t, "log", r.Log.All())
	if !strings.Contains(r.Log.All(), `"msg":"limits reset","plugin":"limit","rule":"each","client":"tester"`) {
		t.Errorf("the reset is not logged:\n%s", r.Log.All())
	}
}

func TestLimitsSaysWhatIsWrong(t *testing.T) {
	r := &running{Log: &logs{}, Environ: []string{"TOKEN=" + adminToken}}
	r.start(t, counting, "http://127.0.0.1:1/v1")
	fixed := func(config, admin string) string { return file(t, config+"admin: "+admin+"\n") }
	other := &running{Config: r.Config, Server: r.Server, AdminURL: r.AdminURL, Environ: []string{"TOKEN=other"}}
	unset := &running{Config: file(t, whole), AdminURL: r.AdminURL, Server: r.Server}
	for _, tt := range []struct {
		name    string
		running *running
		args    []string
		want    string
	}{
		{"two clients", r, []string{"ada", "bob"}, "relay: limits: name one client at most\n"},
		{"a kind without a reset", r, []string{"--kind", "requests"}, "relay: limits: --kind goes with --reset only\n"},
		{"an unknown rule", r, []string{"--reset", "eech"}, `relay: limits: rule: "eech" is not one of each, models, money` + "\n"},
		{"no client", r, []string{"--reset", "each"}, `relay: limits: client: missing: the rule "each" is per client` + "\n"},
		{"a client of a global rule", r, []string{"--reset", "money", "tester"}, `relay: limits: client: the rule "money" is per global, so others would be reset too` + "\n"},
		{"another token", other, []string{"--reset", "money"}, "relay: limits: to change something, send the token"},
		{"no token", unset, []string{"--reset", "money"}, "relay: limits: --reset needs a token, and the configuration names none: set admin_token_file or admin_token_env"},
		{"a token that is not set", &running{Config: r.Config, AdminURL: r.AdminURL}, []string{"--reset", "money"}, "relay: limits: admin token: TOKEN is not set\n"},
		{"no relay", r, []string{"--live", "127.0.0.1:1"}, "relay: limits: no relay answers: is it running, and is this its admin listener? "},
		{"the wrong listener", r, []string{"--live", r.URL}, "relay: limits: " + strings.TrimPrefix(r.URL, "http://") + " has no /limits: give the URL of the admin listener"},
		{"no URL", r, []string{"--live", "://"}, "relay: limits: "},
		{"no port", &running{Config: fixed(whole, "127.0.0.1:0")}, nil, "relay: limits: admin: 127.0.0.1:0 names no port: give the admin listener's URL by --live\n"},
		{"the configuration's address", &running{Config: fixed(whole, ":1")}, nil, "relay: limits: no relay answers: is it running, and is this its admin listener? Get \"http://127.0.0.1:1/limits?\""},
		{"a bad configuration", &running{Config: file(t, whole+"no_such: 1\n")}, nil, "relay: limits: no_such: unknown key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if out, errs := tt.running.limits(t, tt.args...); !strings.HasPrefix(errs, tt.want) || out != "" {
				t.Errorf("printed %q and %q, want %q", out, errs, tt.want)
			}
		})
	}
}

// TestLimitsWithoutAConfiguration: whoever forgot to name one is told so.
func TestLimitsWithoutAConfiguration(t *testing.T) {
	const noUpstream = "relay: %supstreams: there is none: name one here, such as holysheep: {base_url: \"https://api.example.com/v1\"}, or set BASE_URL; no --config was given\n"
	const noToken = "relay: limits: --reset needs a token, and takes it from where admin_token_env or admin_token_file of the configuration says: no --config was given\n"
	for _, tt := range []struct {
		name    string
		environ []string
		args    []string
		want    string
	}{
		{"the counters", nil, []string{"limits"}, fmt.Sprintf(noUpstream, "limits: ")},
		{"check", nil, []string{"check"}, fmt.Sprintf(noUpstream, "")},
		{"explain", nil, []string{"explain"}, fmt.Sprintf(noUpstream, "")},
		{"serve", nil, []string{"serve"}, fmt.Sprintf(noUpstream, "")},
		{"a reset", nil, []string{"limits", "--live", "http://127.0.0.1:1", "--reset", "each"}, noToken},
		{"a reset where the environment names an upstream", []string{"BASE_URL=http://127.0.0.1:1/v1"}, []string{"limits", "--live", "http://127.0.0.1:1", "--reset", "each"}, noToken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := shell{environ: tt.environ}
			if err := s.process(tt.args...).run(t.Context()); err == nil || s.err.All() != tt.want {
				t.Errorf("%v, printed %q\nwant %q", err, s.err.All(), tt.want)
			}
		})
	}
}

// What clients wrote cannot lead a terminal astray.
func TestLimitsEscapesWhatClientsWrote(t *testing.T) {
	table, err := limitsTable([]byte(`{"rules": {"apps": {"more": true, "queue": {"waiting": 3}, "counters": [
		{"value": "a\u001b[31m\n\tb", "kind": "requests", "limit": 1, "used": 1, "remaining": 0, "reset_ms": 1500, "mode": "shared"},
		{"kind": "requests", "limit": 9, "remaining": 4, "reset_ms": 0, "mode": "local"}]}}}`))
	lines := tableRows(table)
	want := []string{
		"RULE WHOSE KIND USED LIMIT REMAINING RESETS IN MODE", `apps a\x1b[31m\n\tb requests 1 1 0 1.5s shared`,
		"apps all requests - 9 4 - local",
		"apps: 3 waiting in this replica", "apps: there may be more: name a client, --model, --group or --header",
		"local, closed: Redis cannot be asked; what remains is the share of the replica that was asked",
	}
	if err != nil || strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("%v:\n%s", err, table)
	}
	for _, body := range []string{"", "{}", `{"version": "1"}`} {
		if table, err := limitsTable([]byte(body)); err == nil {
			t.Errorf("%s: %q, want an error", body, table)
		}
	}
}
