// Package server is the relay as a program: configuration in, two listeners
// out. The life of a request:
//
//	client ─▶ entry        request id, access line, metrics, in-flight count
//	          │            the current generation of the configuration is taken
//	          ▼
//	          CORS, body   a body that can be read again, at most max_body
//	          ▼
//	          Serve…       plugins that face the client (auth), outermost first
//	          ▼
//	          relay        credentials off, answers copied back as they come
//	          ▼
//	          Fetch…       plugins that face the upstream (limit, cache, retry)
//	          ▼
//	          upstream     one of the pool is chosen, its key put on ─▶ upstream
//
// The package knows no plugin by name; [Main] is told which there are.
package server
