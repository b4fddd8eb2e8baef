package upstream

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/holysheep/relay/plugins"
)

// costMetrics are the metrics of what answers cost. The label model is a key of
// the configuration's prices, be it a name or a glob, so strangers cannot add to
// it. Series stay when a price is taken out: money that was spent stays spent.
type costMetrics struct {
	dollars  *prometheus.CounterVec // price: "upstream", "direct"
	unpriced prometheus.Counter
}

// used counts what an answer of the model costs that has used u, unless that is
// not known.
func (m *costMetrics) used(prices plugins.Prices, model string, u plugins.Usage) {
	if u.Source == plugins.UsageUnknown {
		return
	}
	key := prices.Key(model)
	if key == "" {
		m.unpriced.Add(float64(u.Total()))
		return
	}
	price := prices[key]
	m.dollars.WithLabelValues(key, "upstream").Add(float64(price.Cost(u)) / plugins.Dollar)
	m.dollars.WithLabelValues(key, "direct").Add(float64(price.CostDirect(u)) / plugins.Dollar)
}
