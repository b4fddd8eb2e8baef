// Package charttests tests the chart: it renders charts/holysheep-relay in
// memory, as Helm does, and reads the objects strictly, as an API server does.
//
// It needs no helm binary and no cluster, and it shows nothing about how the
// objects run.
package charttests
