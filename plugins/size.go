package plugins

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Size is a number of bytes. In the configuration it has its unit: 512B,
// 50MiB, 1GB. KiB, MiB and GiB are powers of 1024, kB, MB and GB of 1000
// (IEC 80000-13).
type Size int64

// Units of Size.
const (
	KiB Size = 1 << (10 * (iota + 1))
	MiB
	GiB
)

// units is in the order in which String tries them.
func units() []struct {
	name string
	size Size
} {
	return []struct {
		name string
		size Size
	}{
		{"GiB", GiB},
		{"MiB", MiB},
		{"KiB", KiB},
		{"GB", 1e9},
		{"MB", 1e6},
		{"kB", 1e3},
		{"B", 1},
	}
}

// ParseSize reads a size with its unit. "0" needs none.
func ParseSize(text string) (Size, error) {
	if text == "0" {
		return 0, nil
	}
	for _, u := range units() {
		number, found := strings.CutSuffix(text, u.name)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 63)
		if err != nil || n > math.MaxInt64/uint64(u.size) {
			break
		}
		return Size(n) * u.size, nil
	}
	return 0, fmt.Errorf("%q is not a size such as 512KiB, 50MiB or 1GiB", text)
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Size) UnmarshalText(text []byte) error {
	v, err := ParseSize(string(text))
	if err == nil {
		*s = v
	}
	return err
}

// MarshalText implements [encoding.TextMarshaler].
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String returns the size in the largest binary unit that leaves no fraction,
// such as 50MiB.
func (s Size) String() string {
	if s == 0 {
		return "0B"
	}
	for _, u := range units()[:3] {
		if s%u.size == 0 {
			return strconv.FormatInt(int64(s/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}
