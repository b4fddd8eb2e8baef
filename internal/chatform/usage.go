package chatform

import "bytes"

// addUsage makes a stream that tells what was used of one that does not: each
// chunk has usage null, and one more has it.
func addUsage(body []byte, used tokens) ([]byte, error) {
	usage, err := usageOf(used)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(body)+len(body)/8+512)
	var base []member
	err = each(body, func(chunk []byte) error {
		all, err := membersOf(bytes.Clone(chunk))
		if err != nil || !none(find(all, "usage")) {
			return ErrInexact
		}
		base = all
		out = appendChunk(out, all, nil, []byte("null"))
		return nil
	})
	if err != nil || base == nil {
		return nil, ErrInexact
	}
	return append(appendChunk(out, base, []byte("[]"), usage), "data: [DONE]\n\n"...), nil
}

// dropUsage makes a stream that does not tell what was used of one that does.
func dropUsage(body []byte) ([]byte, error) {
	out := make([]byte, 0, len(body))
	err := each(body, func(chunk []byte) error {
		all, err := membersOf(chunk)
		if err != nil {
			return err
		}
		if choices := find(all, "choices"); string(choices) != "[]" || none(find(all, "usage")) {
			out = appendChunk(out, all, nil, nil)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return append(out, "data: [DONE]\n\n"...), nil
}

// appendChunk writes a chunk with other choices, unless they are nil, and with
// that usage in place of its own; nil is without.
func appendChunk(b []byte, all []member, choices, usage []byte) []byte {
	b = append(b, "data: {"...)
	for _, m := range all {
		switch {
		case m.name == "usage" || m.name == "obfuscation":
		case m.name == "choices" && choices != nil:
			b = write(b, m.name, choices)
		default:
			b = write(b, m.name, m.value)
		}
	}
	if usage != nil {
		b = write(b, "usage", usage)
	}
	return append(end(b, '}'), "\n\n"...)
}
