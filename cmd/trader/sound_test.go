package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"skinarb/internal/marketsim"
)

// byHand begins the custom ids of purchases that the tests make themselves, as
// an operator does who buys on the market's own page.
const byHand = "by-hand-"

// books are what a trader's orders and the markets' own records came to, once
// wantSound has found them to agree.
type books struct {
	purchases int
	spent     int64 // micro-dollars
	orders    int
	doubted   int // orders that were in doubt for a while
	cutOff    int // orders that were sent when the trader was killed
}

func (b books) String() string {
	return fmt.Sprintf("%d purchases for %s, %d orders, %d of them in doubt for a while, %d cut off while they were sent",
		b.purchases, marketsim.FormatUSD(b.spent), b.orders, b.doubted, b.cutOff)
}

// settle lets trouble end, stops trading and waits until every outcome is known.
func (m *markets) settle(t *testing.T, p *process) {
	t.Helper()
	m.world.ClearFaults()
	p.command(t, "/v1/trading/stop", `{"reason":"let it settle down"}`)
	eventually(t, "every outcome to be known", func() (bool, string) {
		open := p.orders(t, "planned,sent,in_doubt")
		return len(open) == 0, fmt.Sprintf("open: %+v", open)
	})
}

// wantSound compares, from outside, what the trader remembers with what the
// markets sold: the same purchases, none twice, none over a limit that the
// trader was told, nothing in doubt. Trading must be settled.
func (m *markets) wantSound(t *testing.T, p *process) books {
	t.Helper()
	var b books
	orders := map[string]order{} // by our id
	refs := map[string]order{}   // by market and its id
	for _, o := range p.orders(t, "") {
		if _, twice := orders[o.ID]; twice {
			t.Errorf("order %s is listed twice", o.ID)
		}
		if slices.Contains([]string{"planned", "sent", "in_doubt"}, o.State) {
			t.Errorf("the outcome of order %s is not known: it is %s (%s)", o.ID, o.State, o.Error)
		}
		orders[o.ID] = o
		if o.MarketRef != "" {
			refs[o.Market+" "+o.MarketRef] = o
		}
		if o.had("in_doubt") {
			b.doubted++
		}
		if o.noted("last run ended") {
			b.cutOff++
		}
	}
	b.orders = len(orders)

	bought := map[string]bool{}
	units := map[string]int{}
	var ours int64
	for _, sold := range m.world.Purchases() {
		b.purchases++
		b.spent += sold.Debited
		own := !strings.HasPrefix(sold.CustomID, byHand)
		o, ok := orders[sold.CustomID]
		if !own {
			o, ok = refs[sold.Market+" "+sold.Ref]
		}
		what := fmt.Sprintf("purchase %s (%q) of %s on %s for %s at %s", sold.Ref, sold.CustomID, sold.Name, sold.Market,
			marketsim.FormatUSD(sold.Debited), sold.At.Format(time.TimeOnly+".000"))
		switch {
		case !ok:
			t.Errorf("%s is in no order", what)
			continue
		case bought[o.ID]:
			t.Errorf("%s is the second for order %s: %+v", what, o.ID, o)
		case !o.took():
			t.Errorf("%s was made, but its order is %s: %+v", what, o.State, o)
		case o.MarketRef != sold.Ref:
			t.Errorf("%s: order %s says its reference is %q", what, o.ID, o.MarketRef)
		}
		bought[o.ID] = true
		if paid := micros(t, o.Paid); paid != sold.Debited {
			t.Errorf("%s: order %s says that it cost %s", what, o.ID, marketsim.FormatUSD(paid))
		}
		if !own {
			continue
		}
		ours += sold.Debited
		units[o.Item.Name+"\x00"+o.Item.Phase]++
		if sold.Debited > m.limit(t, "MAX_ORDER_USD") {
			t.Errorf("%s is over MAX_ORDER_USD", what)
		}
	}
	for id, o := range orders {
		if o.took() && !bought[id] {
			t.Errorf("order %s is %s, but %s never sold it: %+v", id, o.State, o.Market, o)
		}
	}
	if ours > m.limit(t, "MAX_DAY_USD") {
		t.Errorf("spent %s, more than MAX_DAY_USD", marketsim.FormatUSD(ours))
	}
	for item, n := range units {
		if n > count(t, cmp.Or(m.env["MAX_ITEM_UNITS"], "1")) {
			t.Errorf("bought %d units of %q, more than MAX_ITEM_UNITS", n, item)
		}
	}
	if n := int(m.mostOpen.Load()); n > count(t, m.env["MAX_OPEN_ORDERS"]) {
		t.Errorf("had %d purchases open at the same time, more than MAX_OPEN_ORDERS", n)
	}
	var pnl struct {
		Total struct{ Spent, Reserved string }
	}
	p.get(t, "/v1/pnl", &pnl)
	if got := micros(t, pnl.Total.Spent); got != b.spent {
		t.Errorf("got %s spent in the profit and loss account, the markets took %s", pnl.Total.Spent, marketsim.FormatUSD(b.spent))
	}
	for market, most := range map[string]string{
		marketsim.SkinsBack: cmp.Or(m.env["SKINSBACK_RATE_PER_MINUTE"], "450"), marketsim.SIH: cmp.Or(m.env["SIH_RATE_PER_MINUTE"], "300"),
	} {
		if n, limit := m.world.MaxPerMinute(market), count(t, most); n > limit {
			t.Errorf("%s got %d requests in a minute, more than %d", market, n, limit)
		}
	}
	return b
}

// had tells whether the order was ever in a state.
func (o order) had(state string) bool {
	for _, s := range o.History {
		if s.State == state {
			return true
		}
	}
	return false
}

// noted tells whether a step of the order was noted with some words.
func (o order) noted(words string) bool {
	for _, s := range o.History {
		if strings.Contains(s.Note, words) {
			return true
		}
	}
	return false
}

// limit gives a limit that the trader was told, in micro-dollars.
func (m *markets) limit(t *testing.T, name string) int64 { return micros(t, m.env[name]) }

func count(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func micros(t *testing.T, usd string) int64 {
	t.Helper()
	n, err := marketsim.ParseUSD(usd)
	if err != nil {
		t.Fatalf("amount %q: %v", usd, err)
	}
	return n
}

// watchOpen keeps the most purchases of ours that the markets had not delivered
// at the same time. The trader hears of a delivery later than that, so what it
// counts is never less.
func (m *markets) watchOpen(t *testing.T) {
	stop := make(chan struct{})
	watching := make(chan struct{})
	t.Cleanup(func() { close(stop); <-watching })
	go func() {
		defer close(watching)
		for {
			open := int64(0)
			for _, sold := range m.world.Purchases() {
				if slices.Contains([]string{"creating_trade", "waiting_accept", "created", "processing", "sent"}, sold.State) && !strings.HasPrefix(sold.CustomID, byHand) {
					open++
				}
			}
			m.mostOpen.Store(max(m.mostOpen.Load(), open))
			select {
			case <-stop:
				return
			case <-time.After(25 * time.Millisecond):
			}
		}
	}()
}

// handPicked is an item that both markets stock.
const handPicked = "Desert Eagle | Leaf Litter (Field-Tested)"

// buyByHand buys an item on SIH past the trader. Faults may hit it as they do
// anybody.
func (m *markets) buyByHand(t *testing.T) {
	t.Helper()
	impatient := &http.Client{Timeout: 2 * time.Second}
	for try := range 20 {
		id := fmt.Sprintf("%s%d", byHand, try)
		if err := errors.Join(m.world.SetAsk(marketsim.SIH, handPicked, 3_000_000), m.world.SetCount(marketsim.SIH, handPicked, 2)); err != nil {
			t.Fatal(err)
		}
		body := fmt.Sprintf(`{"steamId":"76561198060265729","token":"AbCdEf12","amount":3.00,"item":%q,"customId":%q,"appId":730}`, handPicked, id)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.env["SIH_URL"]+"/create-order", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("apikey", m.env["SIH_API_KEY"])
		said := "no answer"
		if resp, err := impatient.Do(req); err == nil {
			b, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			said = string(b)
		}
		for _, sold := range m.world.Purchases() {
			if sold.CustomID == id {
				return
			}
		}
		t.Logf("bought nothing by hand: %s", said)
	}
	t.Fatalf("cannot buy %s by hand", handPicked)
}
