package server

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/holysheep/relay/plugins"
)

// ownPaths are those of the admin listener that no plugin may have.
func ownPaths() []string {
	return []string{"/metrics", "/config", "/upstreams", "/health", "/ready", "/plugins"}
}

// checkAdmin reports the paths of the admin listener that two links want, or a
// link and the server.
func (g *generation) checkAdmin() error {
	var errs []error
	for i, l := range g.chain {
		switch at := l.AdminAt; {
		case at == "":
		case l.Admin == nil || !strings.HasPrefix(at, "/") || strings.Count(at, "/") > 1 || len(at) < 2:
			errs = append(errs, fmt.Errorf("plugins.%s: %q is not a path of the admin listener such as /limits", g.names[i], at))
		case slices.Contains(ownPaths(), at):
			errs = append(errs, fmt.Errorf("plugins.%s: %s of the admin listener is the server's own", g.names[i], at))
		default:
			if other := g.at(at); other < i {
				errs = append(errs, fmt.Errorf("plugins.%s: %s of the admin listener is %s's already", g.names[i], at, g.names[other]))
			}
		}
	}
	return errors.Join(errs...)
}

// at returns the first link that answers under the path, -1 if none does.
func (g *generation) at(path string) int {
	return slices.IndexFunc(g.chain, func(l plugins.Link) bool {
		return l.AdminAt != "" && (path == l.AdminAt || strings.HasPrefix(path, l.AdminAt+"/"))
	})
}

// showAt passes the request on to the plugin that answers under its path.
func (s *Server) showAt(c echo.Context) error {
	g := s.take()
	if g == nil {
		return ErrDraining
	}
	defer g.release()
	path := c.Request().URL.Path
	i := g.at(path)
	switch {
	case i < 0 && slices.Contains(ownPaths(), path) && path != "/plugins":
		return echo.ErrMethodNotAllowed // the method fits no route of its own
	case i < 0:
		return ErrUnknownAdminURL.Saying(ErrUnknownAdminURL.Message + g.adminPaths())
	}
	http.StripPrefix(g.chain[i].AdminAt, g.chain[i].Admin).ServeHTTP(c.Response(), c.Request())
	return nil
}

// adminPaths returns the paths of the links, to be added to the others.
func (g *generation) adminPaths() (list string) {
	for _, l := range g.chain {
		if l.AdminAt != "" {
			list += ", and " + l.AdminAt
		}
	}
	return list
}
