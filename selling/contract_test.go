package selling_test

import (
	"testing"

	"skinarb/internal/storetest"
	"skinarb/selling"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	storetest.Selling(t, func(*testing.T) storetest.SellingStore {
		m := selling.NewMemory()
		return storetest.SellingStore{Journal: m, Adopt: m.Adopt, Stop: m.Stop, Reopen: func() selling.Journal { return m }}
	})
}
