package plugintest

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
)

// A recorder is a registry that remembers what was registered, since a metric
// with labels is not to be seen before it has a value.
type recorder struct {
	registry   *prometheus.Registry
	collectors []prometheus.Collector
}

func newRecorder() *recorder { return &recorder{registry: prometheus.NewRegistry()} }

// Register implements [prometheus.Registerer].
func (r *recorder) Register(c prometheus.Collector) error {
	r.collectors = append(r.collectors, c)
	return r.registry.Register(c)
}

// MustRegister implements [prometheus.Registerer].
func (r *recorder) MustRegister(cs ...prometheus.Collector) {
	for _, c := range cs {
		if err := r.Register(c); err != nil {
			panic(err)
		}
	}
}

// Unregister implements [prometheus.Registerer].
func (r *recorder) Unregister(c prometheus.Collector) bool { return r.registry.Unregister(c) }

// checkZero reports metrics that have a value already.
func (r *recorder) checkZero() error {
	families, err := r.registry.Gather()
	if err != nil {
		return err
	}
	for _, f := range families {
		if slices.ContainsFunc(f.GetMetric(), hasValue) {
			err = errors.Join(err, fmt.Errorf("%s is set by New, but its link may be thrown away: set it in Start", f.GetName()))
		}
	}
	return err
}

func hasValue(m *dto.Metric) bool {
	return m.GetCounter().GetValue() != 0 || m.GetGauge().GetValue() != 0 || m.GetUntyped().GetValue() != 0 ||
		m.GetHistogram().GetSampleCount() != 0 || m.GetSummary().GetSampleCount() != 0
}

// check reports metrics whose names are not well made or do not begin with
// prefix, and those that are, with their labels, not among the words of the
// README.
func (r *recorder) check(prefix string, words map[string]bool) error {
	var errs []error
	for _, d := range r.descs() {
		if !strings.HasPrefix(d.name, prefix) {
			errs = append(errs, fmt.Errorf("%s does not begin with %s", d.name, prefix))
		}
		for _, w := range append([]string{d.name}, d.labels...) {
			if !words[w] {
				errs = append(errs, fmt.Errorf("%s: no `%s` under ## Metrics in README.md", d.name, w))
			}
		}
	}
	for _, c := range r.collectors {
		touch(c)
	}
	families, err := r.registry.Gather()
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	for _, f := range families {
		if f.GetHelp() == "" {
			errs = append(errs, fmt.Errorf("%s: no help text", f.GetName()))
		}
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	for _, p := range problems {
		errs = append(errs, fmt.Errorf("%s: %s", p.Metric, p.Text))
	}
	return errors.Join(append(errs, err)...)
}

// desc is what a [prometheus.Desc] says. Only its String tells.
type desc struct {
	name   string
	labels []string
}

func (r *recorder) descs() []desc {
	found := make(chan *prometheus.Desc)
	go func() {
		defer close(found)
		for _, c := range r.collectors {
			c.Describe(found)
		}
	}()
	name := regexp.MustCompile(`^Desc\{fqName: "(\w*)"`)
	labels := regexp.MustCompile(`variableLabels: \{(.*)\}\}$`)
	var out []desc
	for d := range found {
		one := desc{name: name.FindStringSubmatch(d.String())[1]}
		for l := range strings.SplitSeq(labels.FindStringSubmatch(d.String())[1], ",") {
			if l != "" {
				one.labels = append(one.labels, strings.Trim(strings.TrimPrefix(l, "c("), ")"))
			}
		}
		out = append(out, one)
	}
	return out
}

// touch gives a metric with labels its first value, so that it is gathered.
func touch(c prometheus.Collector) {
	switch v := c.(type) {
	case *prometheus.CounterVec:
		touchVec(v.GetMetricWithLabelValues)
	case *prometheus.GaugeVec:
		touchVec(v.GetMetricWithLabelValues)
	case *prometheus.HistogramVec:
		touchVec(v.GetMetricWithLabelValues)
	case *prometheus.SummaryVec:
		touchVec(v.GetMetricWithLabelValues)
	}
}

// touchVec tries ever more labels, since a vector does not tell how many it
// has.
func touchVec[M any](with func(values ...string) (M, error)) {
	for n := range 20 {
		if _, err := with(slices.Repeat([]string{"x"}, n)...); err == nil {
			return
		}
	}
}
