package credential

import (
	"net/http"
	"strings"
)

// bearer returns the token of an Authorization header, "" if it has none or
// another scheme. Schemes have no case (RFC 9110, section 11.1).
func bearer(value string) string {
	scheme, token, _ := strings.Cut(strings.Trim(value, " \t"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.Trim(token, " \t")
}

func readBearer(header http.Header, _, name, have string) (key string, err error) {
	key = have
	for _, value := range header[name] {
		if key, err = merge(key, bearer(value)); err != nil {
			return "", err
		}
	}
	return key, nil
}

func readHeader(header http.Header, _, name, have string) (key string, err error) {
	key = have
	for _, value := range header[name] {
		if key, err = merge(key, strings.Trim(value, " \t")); err != nil {
			return "", err
		}
	}
	return key, nil
}

func stripHeader(header http.Header, query, name string) string {
	delete(header, name)
	return query
}
