package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/holysheep/relay/internal/watch"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/server/config"
)

// redisPatience bounds the reading and writing of what has no deadline, or a
// later one, and the wait for a connection of the pool. Plugins bring deadlines
// that are far below.
const redisPatience = 2 * time.Second

// A sharedRedis is the client of one set of settings: generations that have the
// same share it. It is closed after the last of them.
type sharedRedis struct {
	client redis.UniversalClient

	once  sync.Once
	ended context.Context //nolint:containedctx // of the greeting: close ends it
	end   context.CancelFunc
	work  sync.WaitGroup
}

// connect makes the client of the generation's Redis, if it has one. It connects
// to nothing yet: the relay starts without Redis too.
func (g *generation) connect(s *Server, reads *watch.Reads) error {
	c := g.config.Config.Redis
	if c.Kind() == "" || g.config.Refused("redis") {
		return nil
	}
	options, sum, err := s.redisOptions(c, reads)
	if err != nil {
		return err
	}
	v, err := g.shared.Keep("redis "+sum, false, func() (any, error) {
		r := &sharedRedis{client: redis.NewUniversalClient(options)}
		r.client.AddHook(s.metrics.redis)
		if _, ok := r.client.(*redis.ClusterClient); ok {
			r.client.AddHook(noRepeats{})
		}
		r.ended, r.end = context.WithCancel(context.Background())
		return r, nil
	})
	if err == nil {
		g.redis, _ = v.(*sharedRedis)
	}
	return err
}

// redisOptions returns the options of the client, and a digest of all that its
// connections depend on: a password file that changes makes another client.
func (s *Server) redisOptions(c config.Redis, reads *watch.Reads) (*redis.UniversalOptions, string, error) {
	password, err := s.redisPassword("redis", c.PasswordEnv, c.PasswordFile, reads)
	ofSentinel, sentinelErr := s.redisPassword("redis.sentinel", c.Sentinel.PasswordEnv, c.Sentinel.PasswordFile, reads)
	t, tlsErr := readRedisTrust(c, reads)
	if err := errors.Join(err, sentinelErr, tlsErr); err != nil {
		return nil, "", err
	}
	security, err := t.config(c)
	if err != nil {
		return nil, "", err
	}
	o := &redis.UniversalOptions{
		Addrs: c.Addresses, IsClusterMode: c.Kind() == "cluster", MasterName: c.Sentinel.Master,
		Username: c.Username, Password: password, DB: c.DB,
		SentinelUsername: c.Sentinel.Username, SentinelPassword: ofSentinel,
		PoolSize: c.PoolSize, PipelinePoolSize: -1, // one pool: a pipeline is nothing special here
		DialTimeout: c.DialTimeout, DialerRetries: 1, Dialer: s.metrics.redis.dialer(c.DialTimeout, security),
		ReadTimeout: redisPatience, WriteTimeout: redisPatience, PoolTimeout: redisPatience,
		ContextTimeoutEnabled: true,
		// What failed may have been done all the same: only who asked knows
		// whether asking again is harmless.
		MaxRetries: -1,
		// Each connection begins with one round trip, HELLO.
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	c.Prefix = "" // of keys, not of connections
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%#v %q %q %q %q %q", c, password, ofSentinel, t.ca, t.cert, t.key)
	return o, hex.EncodeToString(h.Sum(nil)), nil
}

// redisPassword reads the password that stands in the variable or the file, if
// one is named, by the settings under key.
func (s *Server) redisPassword(key, variable, file string, reads *watch.Reads) (string, error) {
	if variable == "" && file == "" {
		return "", nil
	}
	env := plugins.Env{LookupEnv: s.lookup, ReadFile: reads.ReadFile}
	password, err := env.Secret(variable, file)
	switch {
	case err == nil:
		return password, nil
	case variable != "":
		return "", fmt.Errorf("%s.password_env: %w", key, err)
	default:
		return "", fmt.Errorf("%s.password_file: %w", key, err)
	}
}

// greet asks Redis once whether it is there, aside: the answer changes nothing
// but what the log says.
func (r *sharedRedis) greet(log *slog.Logger) {
	if r == nil {
		return
	}
	r.once.Do(func() {
		r.work.Go(func() {
			ctx, cancel := context.WithTimeout(r.ended, redisPatience)
			defer cancel()
			if err := r.client.Ping(ctx).Err(); err != nil && r.ended.Err() == nil {
				log.Warn("redis cannot be reached, the relay goes on without it until it can", "err", err)
			}
		})
	})
}

// Close implements [io.Closer].
func (r *sharedRedis) Close() error {
	r.end()
	r.work.Wait()
	return r.client.Close()
}
