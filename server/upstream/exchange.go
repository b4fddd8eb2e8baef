package upstream

import (
	"net/http"

	"github.com/holysheep/relay/internal/scrub"
	"github.com/holysheep/relay/plugins"
)

// exchange sends the request to the upstream that was chosen, by the key that
// was chosen, and bounds it in time. Neither the answer nor an error tells the
// key.
func (a *asking) exchange(req *http.Request) (*http.Response, error) {
	ctx := a.vigil.start(req.Context(), &a.member.set)
	out := a.address(ctx, req)
	a.upload.watch(out, a.now)
	res, err := a.member.client.RoundTrip(out)
	if err != nil {
		return nil, a.failed(a.vigil.over(err))
	}
	res.Request = req // the one that was sent holds the key
	a.vigil.guard(res, a.looksInto(req, res) && mediaType(res.Header) == eventStream && !plugins.Encoded(res.Header))
	if a.key.secret != "" {
		conceal(res, a.key.forms)
	}
	return res, nil
}

// failed returns err, for which there is no answer, as others may see it.
func (a *asking) failed(err error) error {
	if e, ok := plugins.AsError(err); ok && e.Again {
		return err
	}
	return scrub.Wrap("upstream "+a.member.name+": ", err)
}
