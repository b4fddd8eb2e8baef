package plugins

import "net/http"

// Upgrades reports whether the request asks for another protocol: by Upgrade in
// HTTP/1.1, by CONNECT in HTTP/2 (RFC 8441).
func Upgrades(req *http.Request) bool {
	return len(req.Header["Upgrade"]) > 0 || req.Method == http.MethodConnect
}
