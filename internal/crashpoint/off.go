//go:build !crashpoints

package crashpoint

import "time"

// At does nothing.
func At(string) {}

// Then gives f as it is.
func Then(f func(), _ string) func() { return f }

// Now is the time.
func Now() time.Time { return time.Now() }
