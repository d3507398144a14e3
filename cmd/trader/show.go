package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sourcegraph/conc"

	"skinarb/execution"
	"skinarb/fetch"
	"skinarb/internal/marketsim"
	"skinarb/internal/pricefeed"
	"skinarb/pricing"
	"skinarb/selling"
)

// show tells a person what the demo does. Its methods do nothing when it is
// nil, as it is outside of the demo.
type show struct {
	screen *screen
	length time.Duration // 0 goes on until it is stopped
	end    func()        // stops the demo

	world *marketsim.World // whose buyers order from us; nil where they do not
}

// up says where to look.
func (s *show) up(url string) {
	if s == nil {
		return
	}
	s.screen.say(good, "dashboard", "%s", url)
	s.screen.say(faint, "", "two simulated markets, an embedded Redis; nothing here costs money")
	if s.world == nil {
		return
	}
	// From now on SIH's buyers order from us, and SIH is as strict and as clumsy as
	// it may be.
	err := s.world.SetPartner(marketsim.Partner{
		PurchaseURL: url + "partner/sih/create-purchase", CheckURL: url + "partner/sih/get-purchase",
		Poll: time.Second, PollProtected: 2 * time.Second, Hostility: marketsim.DefaultHostility,
	})
	if err != nil {
		s.screen.say(bad, "back to back", "%v", err)
	}
}

// listing tells what happened to a listing of ours.
func (s *show) listing(l selling.Listing) {
	if s == nil {
		return
	}
	switch l.State {
	case selling.Listed:
		s.screen.say(plain, "listed", "%s on %s for %s", l.Item, l.Market, l.Price)
	case selling.Sold:
		s.screen.say(good, "sold", "%s on %s: %s credited", l.Item, l.Market, l.Proceeds)
	case selling.InDoubt, selling.Refused, selling.Vanished:
		s.screen.say(odd, string(l.State), "%s on %s: %s", l.Item, l.Market, clip(l.Error))
	case selling.Sent, selling.Withdrawing, selling.Withdrawn, selling.Gone, selling.Returned, selling.Unsent:
	}
}

// pull tells of the first pulls of a feed and of every one that is withheld.
func (s *show) pull(o fetch.Observation) {
	if s == nil {
		return
	}
	rejected := 0
	for _, n := range o.Rejected {
		rejected += n
	}
	switch {
	case o.Outcome == fetch.Published && o.Changed > o.Items/2:
		s.screen.say(plain, "prices", "%s: %d items in %s, %.1f MB; %d rows refused", o.Feed, o.Items, o.Duration.Round(time.Millisecond), float64(o.Bytes)/1e6, rejected)
	case o.Outcome == fetch.Withheld || o.Outcome == fetch.Failed:
		s.screen.say(odd, "prices", "%s: pull %s", o.Feed, o.Outcome)
	}
}

// step tells what happened to an order.
func (s *show) step(o execution.Order, st execution.Step) {
	if s == nil {
		return
	}
	item := fmt.Sprintf("%s on %s", o.Item, o.Market)
	if o.Buyer.Ref != "" {
		item += fmt.Sprintf(" for %s's order %s", o.SellOn, o.Buyer.Ref)
	}
	switch st.State {
	case execution.Placed:
		if st.Event == execution.OnPlaced && o.Paid > 0 {
			s.screen.say(good, "bought", "%s for %s; sells on %s for %s, profit %s", item, o.Paid, o.SellOn, o.Proceeds, o.Profit())
		}
	case execution.Delivered:
		s.screen.say(plain, "delivered", "%s; in trade protection", item)
	case execution.Settled:
		s.screen.say(good, "settled", "%s, expected profit %s", item, o.Profit())
	case execution.InDoubt:
		s.screen.say(odd, "in doubt", "%s: %s; asking the market before anything else", item, clip(st.Note))
	case execution.Rejected, execution.Failed, execution.Penalized, execution.RolledBack:
		s.screen.say(bad, strings.ReplaceAll(string(st.State), "_", " "), "%s: %s", item, clip(st.Note))
	case execution.Planned, execution.Sent, execution.Delivering, execution.Cancelled:
	}
}

func clip(s string) string {
	if r := []rune(s); len(r) > 90 {
		return string(r[:90]) + "…"
	}
	return s
}

// watch says from time to time what is worth buying, and ends the demo in time.
func (s *show) watch(ctx context.Context, feed *pricefeed.PriceFeed, running *conc.WaitGroup) {
	if s == nil {
		return
	}
	running.Go(func() {
		if s.length > 0 {
			defer time.AfterFunc(s.length, s.end).Stop()
		}
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if found := feed.Engine().Opportunities(time.Now()); len(found) > 0 && n%10 == 2 {
				o := found[0]
				s.screen.say(plain, "found", "%d opportunities; the best: %s, buy on %s for %s, sell on %s for %s: profit %s (%.1f %%)",
					len(found), o.Item, o.Buy.Market, o.Cost, o.Sell.Market, o.Proceeds, o.Profit, float64(o.EdgeBps)/100)
			}
		}
	})
}

// summary says what the demo came to.
func (s *show) summary(j execution.Journal, sales *sales, statuses []pricing.FeedStatus) {
	if s == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	orders, err := j.List(ctx, execution.Query{})
	if err != nil {
		s.screen.say(bad, "summary", "cannot read the journal: %v", err)
		return
	}
	totals, err := j.Totals(ctx)
	var sold map[selling.PositionState]int
	if err == nil && sales.seller != nil {
		if err = sales.realise(ctx, &totals); err == nil {
			sold, err = sales.journal.Count(ctx)
		}
	}
	if err != nil {
		s.screen.say(bad, "summary", "cannot read the journal: %v", err)
		return
	}
	count := map[execution.State]int{}
	doubted := 0
	for _, o := range orders {
		count[o.State]++
		for _, st := range o.History {
			if st.State == execution.InDoubt {
				doubted++
				break
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nSummary\n")
	for _, st := range statuses {
		fmt.Fprintf(&b, "  feed %-16s %6d items, version %d\n", st.Feed, st.Items, st.Version)
	}
	fmt.Fprintf(&b, "  orders           %6d", len(orders))
	for _, state := range execution.States {
		if n := count[state]; n > 0 {
			fmt.Fprintf(&b, "  %s %d", state, n)
		}
	}
	fmt.Fprintf(&b, "\n  were in doubt    %6d  each resolved by asking the market, none sent blindly again\n", doubted)
	a := totals.All
	fmt.Fprintf(&b, "  spent            %10s  of it settled %s, at risk %s, given back %s\n", a.Spent, a.Settled, a.AtRisk, a.Refunded)
	fmt.Fprintf(&b, "  expected profit  %10s\n", a.ExpectedProfit)
	if sales.seller != nil {
		fmt.Fprintf(&b, "  realised profit  %10s  of what was sold, less what failed purchases cost\n", -a.RealisedLoss)
		all, states := 0, ""
		for _, state := range selling.PositionStates {
			if n := sold[state]; n > 0 {
				all, states = all+n, states+fmt.Sprintf("  %s %d", state, n)
			}
		}
		fmt.Fprintf(&b, "  positions        %6d%s\n", all, states)
	}
	if s.world != nil {
		s.buyers(&b)
	}
	s.screen.block(b.String())
}

// buyers says what became of the orders of SIH's buyers, and what SIH found fault
// with.
func (s *show) buyers(b *strings.Builder) {
	states, bought, twice := map[string]int{}, 0, 0
	orders := s.world.PartnerOrders()
	for _, o := range orders {
		states[o.State]++
		if len(o.Bought) > 0 {
			bought++
		}
		if len(o.Bought) > 1 {
			twice++
		}
	}
	fmt.Fprintf(b, "  buyers' orders   %6d ", len(orders))
	for _, state := range slices.Sorted(maps.Keys(states)) {
		fmt.Fprintf(b, " %s %d", state, states[state])
	}
	_, faults := s.world.PartnerFaults()
	sent, unreachable := s.world.PartnerRequests()
	fmt.Fprintf(b, "\n  bought for them  %6d  %d of them twice\n", bought, twice)
	fmt.Fprintf(b, "  SIH asked        %6d times, %d without an answer, and found %d faults\n", sent, unreachable, faults)
}
