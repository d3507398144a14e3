//go:build race

package simulation

import "runtime"

// init gives the seeds one processor under the race detector. A bubble's timers
// share one context of the detector, and Go 1.26 lets two threads use it at the
// same time: one that runs what is due, and one that finds a timer's channel due
// as it receives from it. Rarely, about once in a hundred thousand bubbles, that
// ends the process with a fault in the detector itself. A bubble's goroutines
// still take turns in any order.
func init() { runtime.GOMAXPROCS(1) }
