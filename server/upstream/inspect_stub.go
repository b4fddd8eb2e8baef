package upstream

import "net/http"

// wantsUsage stands until the reading of usage does.
func (a *asking) wantsUsage(*http.Request) bool { return false }
