// Package sendonce sends requests that must not leave twice: purchases. What it
// gives is an ordinary http.Client over which net/http repeats nothing by
// itself, and a trace that tells when a request has left for good.
package sendonce
