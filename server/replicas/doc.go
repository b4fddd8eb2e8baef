// Package replicas holds the proofs that limits hold over several relays: they
// run as processes, or as servers whose clocks differ, on one real Redis, and
// what they let through is checked by what clients and upstream saw.
//
// It has no code of its own.
package replicas
