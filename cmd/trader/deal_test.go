package main

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"skinarb/execution"
	"skinarb/internal/freeport"
	"skinarb/internal/marketsim"
	"skinarb/internal/settings"
	"skinarb/internal/sqlitejournal"
	"skinarb/partner"
	"skinarb/pricing"
)

// buyersOrders is how many orders of SIH's buyers TestBackToBack waits for.
var buyersOrders = flag.Int("buyers-orders", 30, "orders of buyers that the back-to-back test waits for")

func TestBackToBackNeeds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		env  []string
		want string
	}{
		{[]string{"MODE=paper", "SIH_DEPOSIT_API_KEY=a-key-of-some-length"}, "BACK_TO_BACK: on needs MODE=live"},
		{nil, "BACK_TO_BACK: on needs SIH_DEPOSIT_API_KEY"},
		{[]string{"SELL=on", "SIH_DEPOSIT_API_KEY=a-key-of-some-length"}, "BACK_TO_BACK: not with SELL=on"},
		{[]string{"JOURNAL=redis", "REDIS_URL=redis://127.0.0.1:1/0", "SIH_DEPOSIT_API_KEY=a-key-of-some-length"}, "SIH_DEPOSIT_API_KEY: needs JOURNAL=sqlite"},
	} {
		stderr := refused(t, append([]string{"BACK_TO_BACK=on"}, tt.env...))
		if !strings.Contains(stderr, tt.want) || strings.Contains(stderr, "a-key-of-some-length") {
			t.Errorf("%v: got %q, want %q in it and no key", tt.env, stderr, tt.want)
		}
	}
}

// TestBuyersAreNotForsaken: with orders of buyers in the live file, a run with
// another journal does not begin, unless a process has the file open that sees to
// them.
func TestBuyersAreNotForsaken(t *testing.T) {
	paper := &config{Mode: "paper", Journal: inSQLite, Prices: settings.Prices{DataDir: t.TempDir()}}
	shared := &config{Mode: live, Journal: inRedis, Prices: paper.Prices}
	if err := paper.forsakes(t.Context()); err != nil {
		t.Fatalf("without a live file: %v", err)
	}
	j, err := sqlitejournal.Open(paper.journalPath(live))
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	orderOfABuyer(t, j, "fast-1")
	if err := paper.forsakes(t.Context()); err != nil {
		t.Errorf("beside a live trader: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*config{paper, shared} {
		if err := c.forsakes(t.Context()); err == nil || !strings.Contains(err.Error(), "MODE: 1 orders of buyers") {
			t.Errorf("%s with %s: got %v, want it to name the orders", c.Mode, c.Journal, err)
		}
	}
	alive := &config{Mode: live, Journal: inSQLite, Prices: paper.Prices}
	if err := alive.forsakes(t.Context()); err != nil {
		t.Errorf("live: %v", err)
	}
}

// TestRecheckOfABuyersOrder: what was planned when the last run ended is not given up
// before SIH has had the time to ask for it.
func TestRecheckOfABuyersOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, err := sqlitejournal.Open(filepath.Join(t.TempDir(), "journal.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		orderOfABuyer(t, j, "fast-1")
		server, err := partner.New(partner.Config{Key: []byte("k"), Store: j.Purchases(), Desk: closedDesk{}})
		if err != nil {
			t.Fatal(err)
		}
		d := &deals{server: server}
		r := execution.Request{Buyer: execution.Buyer{Ref: "fast-1"}}
		var later *execution.RetryLaterError
		if err := d.recheck(r); !errors.As(err, &later) {
			t.Errorf("before SIH asks: got %v, want it to be tried later", err)
		}
		sign := hmac.New(sha1.New, []byte("k"))
		sign.Write([]byte(`{"customId":"fast-1"}`))
		server.Get(t.Context(), "customId=fast-1", hex.EncodeToString(sign.Sum(nil)))
		if err := d.recheck(r); err != nil {
			t.Errorf("while SIH asks: got %v, want none", err)
		}
		time.Sleep(5 * time.Minute)
		if err := d.recheck(r); err == nil || errors.As(err, &later) {
			t.Errorf("when SIH has given it up: got %v, want it withdrawn", err)
		}
	})
}

// orderOfABuyer enters a buyer's order for which nothing was bought yet.
func orderOfABuyer(t *testing.T, j *sqlitejournal.Journal, customID string) {
	t.Helper()
	buyer, err := partner.ParseBuyer("76561198000000000", "AbCdEf12")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := j.Purchases().Create(t.Context(), partner.Purchase{
		CustomID: customID, ItemID: "2", Buyer: buyer, Price: pricing.Dollar, State: partner.Created, CreatedAt: time.Now(), UpdatedAt: time.Now(),
	}); err != nil {
		t.Fatal(err)
	}
}

// freeAddress gives an address that nobody listens on, so that every life of a
// process is found at the same one.
func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := freeport.Pick()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", port)
}

// newBuyers is newMarkets with much that is worth selling on SIH, and with buyers
// there.
func newBuyers(t *testing.T) *markets {
	t.Helper()
	m := newMarketsWith(t, func(c *marketsim.Config) {
		c.Items, c.MovePct, c.Tick = 3000, 2, 2*time.Second
		c.Timing.Sale, c.Balance = 4*time.Second, 10_000_000_000_000
	})
	m.sellBackToBack(t)
	return m
}

// onSale counts what SIH has on sale of ours.
func (m *markets) onSale() (n int) {
	for _, s := range m.world.Sales() {
		if s.State == "new" {
			n++
		}
	}
	return n
}

// sellBackToBack lets SIH's buyers order from a trader, and SIH be as difficult as
// it may be.
func (m *markets) sellBackToBack(t *testing.T) {
	t.Helper()
	address := freeAddress(t)
	m.manyLives()
	for name, value := range map[string]string{
		"LISTEN_ADDR": address, "BACK_TO_BACK": "on", "SIH_DEPOSIT_API_KEY": marketsim.DemoDepositKey,
		"MAX_OPEN_ORDERS": "100", "SIH_MAX_OPEN_ORDERS": "1", "MAX_ITEM_UNITS": "1000", "MAX_LISTINGS": "60",
		"MAX_DAY_USD": "100000", "FETCH_INTERVAL": "2s",
	} {
		m.set(name, value)
	}
	if err := m.world.SetPartner(marketsim.Partner{
		PurchaseURL: "http://" + address + "/partner/sih/create-purchase", CheckURL: "http://" + address + "/partner/sih/get-purchase",
		Poll: 300 * time.Millisecond, PollProtected: time.Second, Hostility: marketsim.DefaultHostility,
	}); err != nil {
		t.Fatal(err)
	}
}

// over tells whether nothing is expected of us any more: also of an order whose
// creation never reached us, which SIH asks for in vain for a quarter of an hour.
func over(o marketsim.PartnerOrder) bool {
	return o.Final || o.State == "finished" || o.State == "asked" && len(o.Bought) == 0
}

// ordered counts the signed orders of buyers that have come to their end.
func (m *markets) ordered() (all, ended, finished int) {
	for _, o := range m.world.PartnerOrders() {
		if o.Forged {
			continue
		}
		all++
		if over(o) {
			ended++
		}
		if o.State == "finished" {
			finished++
		}
	}
	return all, ended, finished
}

// TestBackToBack: SIH's buyers order from a trader that is killed again and again
// and whose purchases lose their answers. SIH, which checks every answer, finds no
// fault; every order is bought at most once, and for its buyer.
func TestBackToBack(t *testing.T) {
	t.Parallel()
	m := newBuyers(t)
	m.disturb(marketsim.FaultDropAfter, 20)
	lives := 0
	for all := 0; all < *buyersOrders || lives < 4; all, _, _ = m.ordered() {
		p := m.start(t)
		lives++
		<-time.After(9 * time.Second)
		p.kill(t)
		t.Logf("life %d: %d orders, %d on sale", lives, all, m.onSale())
		if lives > 10+*buyersOrders {
			t.Fatalf("%d orders in %d lives; the last one said\n%s", all, lives, p.said())
		}
	}
	m.world.ClearFaults()
	p := m.start(t)
	p.command(t, "/v1/trading/stop", `{"reason":"no more listings"}`)
	eventually(t, "every order to come to its end", func() (bool, string) {
		all, ended, finished := m.ordered()
		var open []string
		for _, o := range m.world.PartnerOrders() {
			if !o.Forged && !over(o) {
				open = append(open, fmt.Sprintf("%s %s, asked for %d times", o.CustomID, o.State, o.Polls))
			}
		}
		return ended >= all, fmt.Sprintf("%d orders, %d ended, %d of them finished; open are %v", all, ended, finished, open)
	})
	// What was listed and not sold is taken off.
	eventually(t, "nothing to be on sale", func() (bool, string) {
		n := m.onSale()
		return n == 0, fmt.Sprintf("%d on sale", n)
	})
	p.terminate(t)

	if faults, n := m.world.PartnerFaults(); n > 0 {
		for _, f := range faults[:min(len(faults), 10)] {
			t.Errorf("SIH found fault with %s: %s: %s\nasked %s\nheard %s", f.CustomID, f.Rule, f.Detail, f.Request, f.Answer)
		}
		t.Errorf("%d faults, want none", n)
	}
	all, _, finished := m.ordered()
	bought := 0
	for _, o := range m.world.PartnerOrders() {
		bought += len(o.Bought)
		if len(o.Bought) > 1 {
			t.Errorf("%s was bought as %v, want once", o.CustomID, o.Bought)
		}
	}
	sent, unanswered := m.world.PartnerRequests()
	t.Logf("%d lives, %d orders, %d finished, %d bought; %d requests of SIH's, %d unanswered", lives, all, finished, bought, sent, unanswered)
	if finished == 0 || bought == 0 {
		t.Errorf("%d orders finished and %d bought, want some", finished, bought)
	}
}

// TestBackToBackSwitchedOff: what was bought for buyers is told to SIH after
// back-to-back trading was switched off, too, and nothing stays on sale. Without the
// key the trader does not start before that is done.
func TestBackToBackSwitchedOff(t *testing.T) {
	t.Parallel()
	m := newBuyers(t)
	waiting := func() (n int) {
		for _, o := range m.world.PartnerOrders() {
			if !o.Forged && len(o.Bought) > 0 && !over(o) {
				n++
			}
		}
		return n
	}
	p := m.start(t)
	eventually(t, "orders that are bought and not delivered", func() (bool, string) {
		return waiting() >= 2 && m.onSale() > 0, fmt.Sprintf("%d, and %d on sale", waiting(), m.onSale())
	})
	p.kill(t)

	m.set("BACK_TO_BACK", "off")
	key := m.env["SIH_DEPOSIT_API_KEY"]
	delete(m.env, "SIH_DEPOSIT_API_KEY")
	p = m.launch(t)
	<-p.ended
	if said := p.said(); p.cmd.ProcessState.ExitCode() != 1 || !strings.Contains(said, "orders of buyers are not done") {
		t.Errorf("without its key: got %v, it said\n%s", p.cmd.ProcessState, said)
	}
	m.set("SIH_DEPOSIT_API_KEY", key)
	p = m.start(t)
	eventually(t, "SIH to have heard of everything", func() (bool, string) {
		return waiting() == 0 && m.onSale() == 0, fmt.Sprintf("%d orders wait, %d on sale", waiting(), m.onSale())
	})
	p.terminate(t)
	if faults, n := m.world.PartnerFaults(); n > 0 {
		t.Errorf("%d faults, such as %+v", n, faults[0])
	}
}
