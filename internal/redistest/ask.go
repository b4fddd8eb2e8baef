package redistest

import (
	"strings"

	"github.com/redis/go-redis/v9"
)

// admin returns the client by which this package asks the server.
func (s *Server) admin() *redis.Client {
	s.t.Helper()
	if s.asking == nil {
		s.asking = s.Client()
	}
	return s.asking
}

// do has the server do something and fails the test if it does not.
func (s *Server) do(args ...any) {
	s.t.Helper()
	if err := s.admin().Do(s.context(), args...).Err(); err != nil {
		s.t.Fatalf("%v: %v", args, err)
	}
}

// info returns a section of what the server tells of itself.
func (s *Server) info(section string) string {
	s.t.Helper()
	info, err := s.admin().Info(s.context(), section).Result()
	if err != nil {
		s.t.Fatal(err)
	}
	return info
}

// id returns the name that a cluster knows the server by.
func (s *Server) id() string {
	s.t.Helper()
	id, err := s.admin().Do(s.context(), "CLUSTER", "MYID").Text()
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(id)
}
