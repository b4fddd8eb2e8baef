package server

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Names are written out in full, so that a name copied from a dashboard finds
// this file. Closed label sets: method is one of methods or "OTHER", route one
// of wire's labels, "/health", "/ready" or "other", status an HTTP status to 599 or "other", result of a reload "success" or "failure", result of an answer
// that was read on "whole" or "cut".
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
	readOn   *prometheus.CounterVec

	reloads  *prometheus.CounterVec
	reloadOK prometheus.Gauge
	reloadAt prometheus.Gauge

	redis *redisMetrics
}

// redisMetrics tell of the client that plugins share. It implements
// [redis.Hook], by which it hears of each command. They outlive the client, so
// that nothing starts again at 0. Closed label sets: result is "success" or
// "failure", kind what redisFault returns.
type redisMetrics struct {
	connections prometheus.Gauge
	dials       *prometheus.CounterVec
	inFlight    prometheus.Gauge
	duration    prometheus.Histogram
	errors      *prometheus.CounterVec
}

// newMetrics registers the server's metrics and those of the Go process.
func newMetrics(reg prometheus.Registerer, version string) *metrics {
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	make := promauto.With(reg)
	make.NewGaugeVec(prometheus.GaugeOpts{
		Name: "relay_build_info",
		Help: "Always 1; the labels tell the build.",
	}, []string{"version", "goversion"}).WithLabelValues(version, runtime.Version()).Set(1)
	return &metrics{
		requests: make.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total",
			Help: "Requests of clients that have ended, by the status they got; 499 is a client that left.",
		}, []string{"method", "route", "status"}),
		duration: make.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_duration_seconds",
			Help: "Time from a request's arrival to the last byte of its answer, streams included.",
			// To 600 s, the official SDKs' own time limit.
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600},
		}, []string{"method", "route"}),
		inFlight: make.NewGauge(prometheus.GaugeOpts{
			Name: "relay_requests_in_flight",
			Help: "Requests that have arrived and not ended.",
		}),
		readOn: make.NewCounterVec(prometheus.CounterOpts{
			Name: "relay_client_gone_drained_total",
			Help: "Answers that were read on after their client had left, to their end or not.",
		}, []string{"result"}),
		reloads: make.NewCounterVec(prometheus.CounterOpts{
			Name: "relay_config_reloads_total",
			Help: "Attempts to load the configuration, the first included.",
		}, []string{"result"}),
		reloadOK: make.NewGauge(prometheus.GaugeOpts{
			Name: "relay_config_last_reload_successful",
			Help: "Whether the latest configuration is the one that runs: 1, or 0 if it was refused.",
		}),
		reloadAt: make.NewGauge(prometheus.GaugeOpts{
			Name: "relay_config_last_reload_success_timestamp_seconds",
			Help: "When the running configuration was loaded.",
		}),
		redis: newRedisMetrics(make),
	}
}

func newRedisMetrics(make promauto.Factory) *redisMetrics {
	m := &redisMetrics{
		connections: make.NewGauge(prometheus.GaugeOpts{
			Name: "relay_redis_connections",
			Help: "Open connections to Redis, its nodes and Sentinels.",
		}),
		dials: make.NewCounterVec(prometheus.CounterOpts{
			Name: "relay_redis_dials_total",
			Help: "Attempts to connect to Redis.",
		}, []string{"result"}),
		inFlight: make.NewGauge(prometheus.GaugeOpts{
			Name: "relay_redis_commands_in_flight",
			Help: "Commands, or groups sent together, that wait for a connection or have one.",
		}),
		duration: make.NewHistogram(prometheus.HistogramOpts{
			Name: "relay_redis_duration_seconds",
			Help: "Time of a command, or of those sent together, with the wait for a connection.",
			// Around the time on one machine, and to the client's own time limit.
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2},
		}),
		errors: make.NewCounterVec(prometheus.CounterOpts{
			Name: "relay_redis_errors_total",
			Help: "Commands that failed: too late, without a connection, by an error that Redis replied, or for want of a free connection.",
		}, []string{"kind"}),
	}
	for _, result := range []string{"success", "failure"} {
		m.dials.WithLabelValues(result)
	}
	for _, kind := range []string{"timeout", "connection", "reply", "pool"} {
		m.errors.WithLabelValues(kind)
	}
	return m
}

// loaded notes an attempt to load the configuration.
func (m *metrics) loaded(err error) {
	if err != nil {
		m.reloads.WithLabelValues("failure").Inc()
		m.reloadOK.Set(0)
		return
	}
	m.reloads.WithLabelValues("success").Inc()
	m.reloadOK.Set(1)
	m.reloadAt.Set(float64(time.Now().Unix()))
}
