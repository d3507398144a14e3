package marketsim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

// TestLifeOfAPurchase follows one order on each market through each way its
// life can go, looking at every moment something changes and at none between.
func TestLifeOfAPurchase(t *testing.T) {
	type look struct {
		after time.Duration // since the last one
		state string        // SIH: status, then the state of protection if any
	}
	for _, c := range []struct {
		name   string
		odds   Outcomes
		market string
		looks  []look
		spent  int64 // in the end, for an item that costs 10 dollars
	}{
		{"delivered", Outcomes{}, SkinsBack, []look{
			{0, "creating_trade"}, {19 * time.Second, "creating_trade"}, {time.Second, "waiting_accept"},
			{time.Minute, "accepted"}, {9 * 24 * time.Hour, "accepted"},
		}, 10 * dollar},
		{"timeout", Outcomes{Timeout: 100}, SkinsBack, []look{
			{0, "creating_trade"}, {20 * time.Second, "waiting_accept"},
			{10*time.Minute - 1, "waiting_accept"}, {1, "timeout"},
		}, 0},
		{"delivered", Outcomes{}, SIH, []look{
			{0, "created"}, {5 * time.Second, "processing"}, {15 * time.Second, "sent"}, {time.Minute, "finished"},
			{5 * time.Second, "finished/processing"}, {8*24*time.Hour - 1, "finished/processing"}, {1, "finished/finished"},
		}, 10 * dollar},
		{"timeout", Outcomes{Timeout: 100}, SIH, []look{
			{0, "created"}, {20 * time.Second, "sent"}, {10 * time.Minute, "failed"},
		}, 0},
		{"penalized", Outcomes{Penalize: 100}, SIH, []look{
			{20 * time.Second, "sent"}, {time.Minute, "penalized"},
		}, dollar / 2},
		{"bought again", Outcomes{Reprocess: 100}, SIH, []look{
			{20 * time.Second, "sent"}, {30 * time.Second, "processing"}, {15 * time.Second, "sent"},
			{time.Minute, "finished"}, {9 * 24 * time.Hour, "finished/finished"},
		}, 10 * dollar},
	} {
		t.Run(c.market+" "+c.name, func(t *testing.T) {
			r := start(t, Config{Outcomes: c.odds})
			r.pin(c.market, redline, "10", 1)
			if c.market == SkinsBack {
				r.buy(redline, object{"custom_id": "a"})
			} else {
				r.order(redline, "11", "a", nil)
			}
			for i, l := range c.looks {
				r.clock.advance(l.after)
				p := r.Purchases()[0]
				got := p.State
				if p.Protection != "" {
					got += "/" + p.Protection
				}
				if got != l.state {
					t.Errorf("look %d: got %s, want %s", i, got, l.state)
				}
				r.checkBooks(10_000 * dollar)
			}
			if p := r.Purchases()[0]; p.Debited-p.Refunded != c.spent {
				t.Errorf("spent %s, want %s", FormatUSD(p.Debited-p.Refunded), FormatUSD(c.spent))
			}
		})
	}
}

// TestFailuresGiveMoneyBack makes many purchases fail in every way there is.
func TestFailuresGiveMoneyBack(t *testing.T) {
	for _, c := range []struct {
		odds   Outcomes
		market string
		want   []string
	}{
		{Outcomes{Fail: 100}, SkinsBack, []string{"canceled", "invalid_trade_token", "trade_create_error", "user_not_tradable"}},
		{Outcomes{Rollback: 100}, SkinsBack, []string{"rollback_supplier", "rollback_user"}},
		{Outcomes{Fail: 100}, SIH, []string{"failed: canceled by seller", "failed: unknown error"}},
		{Outcomes{Timeout: 100}, SIH, []string{"failed: send timeout"}},
		{Outcomes{Rollback: 100}, SIH, []string{"finished: rollback supplier", "finished: rollback user"}},
	} {
		r := start(t, Config{Outcomes: c.odds})
		r.pin(c.market, redline, "10", 40)
		seen := map[string]bool{}
		for i := range 40 {
			if c.market == SkinsBack {
				r.buy(redline, object{"custom_id": fmt.Sprint(i)})
			} else {
				r.order(redline, "10.25", fmt.Sprint(i), nil)
			}
			r.clock.advance(time.Second)
		}
		if got := r.Balance(c.market); got >= 9_750*dollar {
			t.Errorf("%s %+v: balance %s while the orders are open", c.market, c.odds, FormatUSD(got))
		}
		r.clock.advance(9 * 24 * time.Hour)
		for i, p := range r.Purchases() {
			state := p.State
			if c.market == SIH {
				o := r.stored(fmt.Sprint(i))
				state += ": "
				if protection, ok := o["protection"].(object); ok {
					state += protection["error"].(string)
					if protection["rollbackAmount"] != json.Number("10") {
						t.Errorf("rollback: got %v", protection)
					}
				} else {
					state += o["error"].(string)
				}
			}
			seen[state] = true
			if p.Debited == 0 || p.Refunded != p.Debited {
				t.Errorf("%s %s: debited %d, refunded %d", c.market, state, p.Debited, p.Refunded)
			}
		}
		if got := slices.Sorted(maps.Keys(seen)); !slices.Equal(got, c.want) {
			t.Errorf("%s %+v: got states %v, want %v", c.market, c.odds, got, c.want)
		}
		if got := r.Balance(c.market); got != 10_000*dollar {
			t.Errorf("%s %+v: balance %s in the end", c.market, c.odds, FormatUSD(got))
		}
	}
}

func TestNewOfferAfterReprocessing(t *testing.T) {
	r := start(t, Config{Outcomes: Outcomes{Reprocess: 100}})
	r.order(redline, "100", "a", nil)
	offer := func(after time.Duration) int64 {
		r.clock.advance(after)
		sender := r.stored("a")["sender"].(object)
		id, err := sender["offerId"].(json.Number).Int64()
		if err != nil || id <= 1<<32 {
			t.Errorf("offer: got %v, want more than 32 bits", sender)
		}
		return id
	}
	first := offer(20 * time.Second)
	if meanwhile := offer(30 * time.Second); meanwhile != first {
		t.Errorf("offer changed from %d to %d before there was a new one", first, meanwhile)
	}
	if second := offer(15 * time.Second); second == first {
		t.Errorf("got offer %d again", second)
	}
}

func TestSpeed(t *testing.T) {
	r := start(t, Config{Speed: 1000})
	r.order(redline, "100", "a", nil)
	r.clock.advance(8*24*time.Hour/1000 + 85*time.Millisecond)
	if p := r.Purchases()[0]; p.Protection != "finished" {
		t.Errorf("got %+v, want protection finished", p)
	}
}

// TestHostileBargains buys everything that is priced 20 times too low. None of
// it may be kept.
func TestHostileBargains(t *testing.T) {
	r := start(t, Config{Items: 20_000, Seed: 5, Balance: 1_000_000 * dollar, RatePerMinute: 10_000})
	tried := 0
	for _, m := range []*market{r.skinsback, r.sih} {
		for _, l := range m.listings {
			if !l.bait || l.places == 0 {
				continue
			}
			tried++
			if m.name == SkinsBack {
				r.buy(l.name, nil)
			} else {
				r.order(l.name, "1000", l.name, nil)
			}
		}
	}
	r.clock.advance(9 * 24 * time.Hour)
	purchases := r.Purchases()
	if tried < 10 || len(purchases) < tried/2 {
		t.Fatalf("tried %d, bought %d", tried, len(purchases))
	}
	for _, p := range purchases {
		if p.State != "rollback_supplier" && p.State != "rollback_user" && p.State != "penalized" {
			t.Errorf("%s sold %s: %s", p.Market, p.Name, p.State)
		}
	}
	r.checkBooks(1_000_000 * dollar)
}

// TestWalletExplainsBalance lets a lot happen on SIH and then adds up.
func TestWalletExplainsBalance(t *testing.T) {
	r := start(t, Config{Outcomes: Outcomes{Fail: 15, Penalize: 15, Timeout: 15, Rollback: 15, Reprocess: 15, SoldOut: 10}})
	r.pin(SIH, redline, "10", 200)
	refused := 0
	for i := range 100 {
		if status, _ := r.order(redline, "10.125", fmt.Sprint(i), nil); status != 200 {
			refused++
		}
		r.clock.advance(10 * time.Second)
	}
	if refused == 0 || refused > 30 {
		t.Errorf("%d of 100 were sold out, want about 10", refused)
	}
	for range 3 {
		_, got := r.get("/wallet/history", "limit", "1000")
		sum := int64(10_000 * dollar)
		perOrder := map[string]int64{}
		for _, row := range got["data"].([]any) {
			amount := number(t, row.(object)["amount"])
			sum += amount
			perOrder[fmt.Sprint(row.(object)["data"].(object)["orderId"])] -= amount
		}
		if sum != r.Balance(SIH) {
			t.Errorf("wallet says %s, balance is %s", FormatUSD(sum), FormatUSD(r.Balance(SIH)))
		}
		for _, p := range r.Purchases() {
			if perOrder[p.Ref] != p.Debited-p.Refunded {
				t.Errorf("order %s: wallet says %d, purchase says %d", p.Ref, perOrder[p.Ref], p.Debited-p.Refunded)
			}
		}
		r.clock.advance(4 * 24 * time.Hour)
	}
	r.checkBooks(10_000 * dollar)
}
