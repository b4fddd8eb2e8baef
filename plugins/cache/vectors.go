package cache

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"log/slog"
	"math"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/answer"
)

// Whether a Redis has vector sets.
const (
	setsUnknown = iota
	setsThere
	setsMissing
)

// vectors are embeddings in the vector sets of Redis, one set for each group of
// questions that may meet. They came with Redis 8.0.
type vectors struct {
	client   redis.UniversalClient
	prefix   string
	deadline time.Duration
	log      *slog.Logger
	sets     atomic.Int32
}

// there reports whether Redis has vector sets. It asks until it knows, and says
// once if it has none.
func (v *vectors) there(ctx context.Context) bool {
	if known := v.sets.Load(); known != setsUnknown {
		return known == setsThere
	}
	infos, err := v.client.Do(ctx, "COMMAND", "INFO", "VSIM").Slice()
	if err != nil {
		return false
	}
	if len(infos) == 1 && infos[0] != nil {
		v.sets.CompareAndSwap(setsUnknown, setsThere)
		return true
	}
	if v.sets.CompareAndSwap(setsUnknown, setsMissing) {
		v.log.Error("this redis has no vector sets, which came with Redis 8.0: memory alone has the embeddings; update redis, or set it to false",
			"key", "plugins.cache.semantic.redis")
	}
	return false
}

// keyOf returns the key of a group's set.
func (v *vectors) keyOf(g key) string {
	return v.prefix + "cache:near:{" + hex.EncodeToString(g[:16]) + "}"
}

// packed returns a vector as VSIM and VADD take it: 32-bit numbers, the lowest
// byte first.
func packed(vector []float32) []byte {
	b := make([]byte, 0, 4*len(vector))
	for _, f := range vector {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return b
}

// find returns the nearest question's answer, if it is near enough.
func (v *vectors) find(ctx context.Context, g key, vector []float32, threshold float64) (place answer.Place, score float64, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, v.deadline)
	defer cancel()
	if !v.there(ctx) {
		return place, 0, false
	}
	near, err := v.client.Do(ctx, "VSIM", v.keyOf(g), "FP32", packed(vector), "WITHSCORES", "COUNT", 1).Result()
	if err != nil {
		return place, 0, false
	}
	name, similarity, ok := nearestOf(near)
	if !ok {
		return place, 0, false
	}
	score = 2*similarity - 1 // Redis has 1 for the same direction and 0 for the opposite one
	if score < threshold {
		return place, 0, false
	}
	place, ok = readPlace(name)
	return place, score, ok
}

// nearestOf reads what VSIM answers: a map by RESP3, a list by RESP2.
func nearestOf(answer any) (name string, similarity float64, ok bool) {
	var value any
	switch a := answer.(type) {
	case map[any]any:
		for k, v := range a {
			name, ok = k.(string)
			value = v
		}
	case []any:
		if len(a) == 2 {
			name, ok = a[0].(string)
			value = a[1]
		}
	}
	switch s := value.(type) {
	case float64:
		return name, s, ok
	case string:
		f, err := strconv.ParseFloat(s, 64)
		return name, f, ok && err == nil
	}
	return "", 0, false
}

// add adds a question, for so long.
func (v *vectors) add(ctx context.Context, m *meaning, place answer.Place, life time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, v.deadline)
	defer cancel()
	if !v.there(ctx) {
		return
	}
	pipe := v.client.Pipeline()
	pipe.Do(ctx, "VADD", v.keyOf(m.group), "FP32", packed(m.vector), placeText(place))
	pipe.PExpire(ctx, v.keyOf(m.group), life)
	if _, err := pipe.Exec(ctx); err != nil {
		v.log.Debug("an embedding was not kept in redis", "err", err)
	}
}

// placeText returns a place as text, which readPlace reads.
func placeText(p answer.Place) string {
	b := append(append(append(p.Name.Tenant[:], p.Name.Model[:]...), p.Name.ID[:]...), p.Key[:]...)
	return hex.EncodeToString(b)
}

func readPlace(text string) (p answer.Place, ok bool) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(p.Name.Tenant)+len(p.Name.Model)+len(p.Name.ID)+len(p.Key) {
		return p, false
	}
	b = b[copy(p.Name.Tenant[:], b):]
	b = b[copy(p.Name.Model[:], b):]
	b = b[copy(p.Name.ID[:], b):]
	copy(p.Key[:], b)
	return p, true
}
