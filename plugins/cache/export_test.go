package cache

import (
	"net/http"

	dto "github.com/prometheus/client_model/go"
)

// Idle reports whether nothing is on its way to the store of rt, and what was is
// spread.
func Idle(rt http.RoundTripper) bool {
	t, _ := rt.(*transport)
	var m dto.Metric
	_ = t.metrics.flights.Write(&m)
	return m.GetGauge().GetValue() == 0
}
