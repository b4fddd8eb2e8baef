package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/internal/watch"
	"github.com/holysheep/relay/plugins"
)

// ErrAdminReadOnly is the answer of the admin listener to what is no reading,
// where no token is configured that would allow it.
var ErrAdminReadOnly = &plugins.Error{
	Status: http.StatusForbidden, Type: "permission_error", Code: "admin_read_only",
	Message: "the admin listener is read-only: to change something, " +
		"name a token by admin_token_file or admin_token_env and send it as Authorization: Bearer TOKEN",
}

// ErrAdminToken is the answer of the admin listener to what is no reading and
// brings no token, or another.
var ErrAdminToken = &plugins.Error{
	Status: http.StatusUnauthorized, Type: "authentication_error", Code: "invalid_admin_token",
	Message: "to change something, send the token that admin_token_file or admin_token_env names, as Authorization: Bearer TOKEN",
	Header:  http.Header{"Www-Authenticate": {"Bearer"}},
}

// readAdminToken reads the token of the admin listener, of which it keeps the
// hash.
func (g *generation) readAdminToken(s *Server, reads *watch.Reads) error {
	c := &g.config.Config
	key := "admin_token_file"
	if c.AdminTokenEnv != "" {
		key = "admin_token_env"
	}
	none := c.AdminTokenEnv == "" && c.AdminTokenFile == ""
	if none || g.config.Refused("admin_token_env") || g.config.Refused("admin_token_file") {
		return nil
	}
	token, err := s.env("admin", g, reads).Secret(c.AdminTokenEnv, c.AdminTokenFile)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	sum := credential.Sum(token)
	g.token = &sum
	return nil
}

// protect lets requests pass that only read, and those that bring the token of
// the current configuration.
func (s *Server) protect(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		switch req, token := c.Request(), s.current.Load().token; {
		case req.Method == http.MethodGet || req.Method == http.MethodHead:
		case token == nil:
			return ErrAdminReadOnly
		case !bears(req, *token):
			return ErrAdminToken
		}
		return next(c)
	}
}

// bears reports whether the request brings the token of that hash. Hashes are
// compared, so that the time that it takes tells nothing of the token.
func bears(req *http.Request, want [sha256.Size]byte) bool {
	scheme, token, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	sum := credential.Sum(strings.TrimSpace(token))
	return subtle.ConstantTimeCompare(sum[:], want[:]) == 1 && strings.EqualFold(scheme, "Bearer")
}
