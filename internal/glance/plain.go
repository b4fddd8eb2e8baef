package glance

import "encoding/binary"

// The bytes that matter inside of a value, eight times each. Brackets and
// braces are 0x5B, 0x5D, 0x7B and 0x7D: with these bits set all are 0x7F, and so
// are only a few others that no JSON has outside of a string.
const (
	ones     = 0x0101010101010101
	highs    = 0x80 * ones
	quotes   = '"' * ones
	brackets = 0x26 * ones
	deletes  = 0x7F * ones
)

// plain returns how many bytes p begins with that are neither quotation marks,
// brackets nor braces. It looks at eight bytes at a time, for the vectors of
// embeddings are long.
func plain(p []byte) int {
	n := 0
	for ; len(p)-n >= 8; n += 8 {
		x := binary.LittleEndian.Uint64(p[n:])
		if zero(x^quotes)|zero((x|brackets)^deletes) != 0 {
			break
		}
	}
	for n < len(p) && p[n] != '"' && p[n]|0x26 != 0x7F {
		n++
	}
	return n
}

// zero is not 0 if one of the bytes of x is: see "Hacker's Delight", 6-1.
func zero(x uint64) uint64 { return (x - ones) & ^x & highs }
