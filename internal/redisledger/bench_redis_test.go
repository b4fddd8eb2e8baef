package redisledger

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/ledger"
)

// BenchmarkRedis measures what decisions and settlements cost Redis alone: its
// CPU time, in µs, for each. They come a hundred at once over one connection, as
// settlements do under load, so that little of it is the network's: a decision
// that comes alone takes about 7 µs more. A core of Redis does
// 1e6 ÷ (µs/take + 7 + µs/settle) requests a second.
func BenchmarkRedis(b *testing.B) {
	all := everything().Claims
	for _, claims := range [][]ledger.Claim{all[:1], all[:3], all[:5]} {
		b.Run(fmt.Sprintf("claims=%d", len(claims)), func(b *testing.B) {
			s, client := open(b, Options{})
			var takes, settles float64
			n := 0
			for b.Loop() {
				var taking, settling []call
				for i := range maxCalls {
					tk := ofMany(claims, i)
					lease := s.lease(uint64(n*maxCalls + i))
					taking = append(taking, s.looking(s.groups(tk.Claims)[0], true, lease))
					for j := range tk.Claims {
						tk.Claims[j].Taken, tk.Claims[j].Actual = true, tk.Claims[j].Cost/2
					}
					settling = append(settling, s.settling(s.groups(tk.Claims)[0], lease))
				}
				takes += spent(b, client, func() { do(b, s, taking) })
				settles += spent(b, client, func() { do(b, s, settling) })
				n++
			}
			b.ReportMetric(takes/float64(n*maxCalls), "µs/take")
			b.ReportMetric(settles/float64(n*maxCalls), "µs/settle")
		})
	}
}

// ofMany returns a ticket of the claims with much room, of one of many clients.
func ofMany(claims []ledger.Claim, client int) *ledger.Ticket {
	tk := ticket(append([]ledger.Claim(nil), claims...)...)
	for i := range tk.Claims {
		if tk.Claims[i].Limit = 1e13; tk.Claims[i].Counter.OfClient {
			tk.Claims[i].Subject.A = fmt.Sprint("client-", client)
		}
	}
	return tk
}

func do(b *testing.B, s *Store, calls []call) {
	b.Helper()
	if err := s.batch(b.Context(), calls, nil); err != nil {
		b.Fatal(err)
	}
}

// spent returns how many µs of CPU time Redis has taken for what is done.
func spent(b *testing.B, client *redis.Client, do func()) float64 {
	b.Helper()
	before := cpu(b, client)
	do()
	return cpu(b, client) - before
}

func cpu(b *testing.B, client *redis.Client) (micros float64) {
	b.Helper()
	for line := range strings.Lines(client.Info(b.Context(), "cpu").Val()) {
		var seconds float64
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name != "used_cpu_sys_main_thread" && name != "used_cpu_user_main_thread" {
			continue
		}
		if _, err := fmt.Sscan(value, &seconds); err != nil {
			b.Fatal(err)
		}
		micros += seconds * 1e6
	}
	return micros
}

// What a command consists of is a few allocations, however many claims there
// are: the claims by their tags, which is two, their keys and the text of these,
// the numbers, the arguments, and the lease as a text and as an argument.
func TestACommandIsAFewAllocations(t *testing.T) {
	s := New(redis.NewClient(&redis.Options{}), Options{})
	defer func() { _ = s.client.Close() }()
	tk := everything()
	for i := range tk.Claims {
		tk.Claims[i].Taken, tk.Claims[i].Actual = true, tk.Claims[i].Cost/2
	}
	for name, build := range map[string]func() call{
		"take":   func() call { return s.looking(s.groups(tk.Claims)[0], true, s.lease(1000)) },
		"settle": func() call { return s.settling(s.groups(tk.Claims)[0], s.lease(1000)) },
	} {
		if n := testing.AllocsPerRun(100, func() { _ = build() }); n > 8 {
			t.Errorf("%s over %d claims takes %g allocations, want at most 8", name, len(tk.Claims), n)
		}
	}
}
