package plugins

import "net/http"

// ReadAsk tells what the request asks for.
func ReadAsk(req *http.Request, head []byte, whole bool) Ask { return Ask{} }
