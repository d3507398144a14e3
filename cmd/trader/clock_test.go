package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"skinarb/internal/marketsim"
)

// clock is one that the tests set.
type clock struct{ file string }

func (m *markets) clock(t *testing.T) clock {
	t.Helper()
	c := clock{filepath.Join(t.TempDir(), "clock")}
	c.set(t, 0)
	m.set("SKINARB_CLOCK_FILE", c.file)
	return c
}

// set makes the trader's clock wrong by an offset; it looks at it every 100 ms.
func (c clock) set(t *testing.T, offset time.Duration) {
	t.Helper()
	part := c.file + ".part"
	if err := os.WriteFile(part, []byte(offset.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(part, c.file); err != nil {
		t.Fatal(err)
	}
}

// A clock that is set back or forward, while the trader runs or while it does
// not, makes it buy nothing twice and nothing beyond a limit, and keeps no order
// in doubt.
func TestClockIsSet(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes most of a minute")
	}
	t.Parallel()
	for _, offset := range []time.Duration{-time.Hour, time.Hour} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v restart %t", offset, restart), func(t *testing.T) {
				t.Parallel()
				m := newMarkets(t)
				m.manyLives()
				clock := m.clock(t)
				m.set("MAX_ORDER_USD", "5")
				m.set("MAX_DAY_USD", "40")
				m.set("MAX_OPEN_ORDERS", "30")
				m.set("MAX_ITEM_UNITS", "2")
				m.disturb(marketsim.FaultDropBefore, 50)
				p := m.start(t)
				eventually(t, "purchases and doubts", func() (bool, string) {
					doubts := len(p.orders(t, "in_doubt"))
					return doubts >= 2 && len(m.world.Purchases()) >= 2, fmt.Sprintf("%d doubts, %d purchases", doubts, len(m.world.Purchases()))
				})
				if restart {
					p.kill(t)
				}
				clock.set(t, offset)
				if restart {
					p = m.start(t)
				}
				m.world.ClearFaults()
				before := m.buyRequests()
				m.waitBuying(t, before+3)
				<-time.After(5 * time.Second) // for the daily limit to be reached, and kept
				m.settle(t, p)
				t.Log(m.wantSound(t, p))
			})
		}
	}
}
