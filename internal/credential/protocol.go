package credential

import (
	"net/http"
	"slices"
	"strings"
)

// protocols is the header in which a WebSocket client offers subprotocols, the
// only place where a script in a browser can put a credential (RFC 6455,
// section 11.3.4).
const protocols = "Sec-Websocket-Protocol"

func readProtocol(header http.Header, _, name, have string) (key string, err error) {
	key = have
	for _, line := range header[protocols] {
		for offer := range strings.SplitSeq(line, ",") {
			value, found := cutPrefix(strings.Trim(offer, " \t"), name)
			if !found {
				continue
			}
			if key, err = merge(key, value); err != nil {
				return "", err
			}
		}
	}
	return key, nil
}

// stripProtocol leaves a line that offers nothing of the kind as it is, and
// the slice too, which the incoming request may share.
func stripProtocol(header http.Header, query, name string) string {
	lines := header[protocols]
	if !slices.ContainsFunc(lines, func(line string) bool { return stripOffers(line, name) != line }) {
		return query
	}
	var kept []string
	for _, line := range lines {
		if line = stripOffers(line, name); line != "" {
			kept = append(kept, line)
		}
	}
	if header[protocols] = kept; kept == nil {
		delete(header, protocols)
	}
	return query
}

// stripOffers returns the line without the subprotocols that begin with prefix.
func stripOffers(line, prefix string) string {
	var kept []string
	found := false
	for offer := range strings.SplitSeq(line, ",") {
		offer = strings.Trim(offer, " \t")
		if _, ok := cutPrefix(offer, prefix); ok {
			found = true
		} else if offer != "" {
			kept = append(kept, offer)
		}
	}
	if !found {
		return line
	}
	return strings.Join(kept, ", ")
}

// cutPrefix returns what follows prefix, in any case, in a subprotocol.
func cutPrefix(offer, prefix string) (rest string, found bool) {
	if len(offer) < len(prefix) || !strings.EqualFold(offer[:len(prefix)], prefix) {
		return "", false
	}
	return offer[len(prefix):], true
}
