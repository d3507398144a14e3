package sih

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"skinarb/execution"
	"skinarb/internal/marketsim"
	"skinarb/pricing"
)

// shop is a simulated market with an attached account, and a clock set by hand.
type shop struct {
	world *marketsim.World
	*Client
	t   *testing.T
	now *atomic.Int64
}

func openShop(t *testing.T, world marketsim.Config) shop {
	t.Helper()
	now := &atomic.Int64{}
	now.Store(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC).UnixNano())
	world.Now = func() time.Time { return time.Unix(0, now.Load()).UTC() }
	world.MovePct = -1
	w, c := simulated(t, world, func(cfg *Config) { cfg.Now = world.Now })
	if _, err := c.AddAccount(t.Context(), testSteam, testToken); err != nil {
		t.Fatal(err)
	}
	return shop{w, c, t, now}
}

func (s shop) pass(d time.Duration) { s.now.Add(int64(d)) }

// give puts Redlines into the inventory and says how to sell them.
func (s shop) give(price string, customIDs ...string) NewDeposit {
	s.t.Helper()
	d := NewDeposit{SteamID: testSteam, Game: pricing.CS2}
	for _, id := range customIDs {
		asset, err := s.world.Give(testSteam, redline)
		if err != nil {
			s.t.Fatal(err)
		}
		d.Items = append(d.Items, NewDepositItem{AssetID: AssetID(asset), Price: money(price), CustomID: id})
	}
	return d
}

// ask is the market's lowest ask and count of the Redline.
func (s shop) ask() execution.Offer {
	s.t.Helper()
	o, err := s.Check(s.t.Context(), cs2(redline), redline)
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

// onSale gives our ids of what is on sale.
func (s shop) onSale() []string {
	s.t.Helper()
	all, err := s.Deposits(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	var ids []string
	for _, d := range all {
		ids = append(ids, d.CustomID)
	}
	return ids
}

// TestSellingSimulated follows an item from the inventory to the money: on sale
// under the others, in the catalog, sold, safe, paid.
func TestSellingSimulated(t *testing.T) {
	s := openShop(t, marketsim.Config{})
	before, err := s.Project(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.Deposit(t.Context(), s.give("12.3", "dep-1"))
	if err != nil || len(done.Items) != 1 || len(done.Left) != 0 {
		t.Fatalf("got %+v, %v, want one item on sale", done, err)
	}
	item := done.Items[0]
	if item.CustomID != "dep-1" || item.Price != money("12.3") || item.Name != redline || item.Quantity != 1 {
		t.Errorf("got %+v, want the Redline at 12.30", item)
	}
	if got, want := s.ask(), (execution.Offer{Ask: money("12.3"), Count: 4}); got != want {
		t.Errorf("got %+v on offer, want ours in front: %+v", got, want)
	}

	s.pass(time.Hour)
	if got := s.onSale(); len(got) != 0 {
		t.Errorf("an hour later: %v is on sale, want it sold", got)
	}
	if got, want := s.ask(), (execution.Offer{Ask: money("12.345"), Count: 3}); got != want {
		t.Errorf("got %+v on offer, want %+v", got, want)
	}
	if slices.ContainsFunc(s.world.Inventory(testSteam), func(a marketsim.Asset) bool { return a.ID == string(item.AssetID) }) {
		t.Errorf("%s is still in the inventory, want it with its buyer", item.AssetID)
	}

	s.pass(9 * 24 * time.Hour)
	moves, err := s.WalletHistory(t.Context(), DepositWallet, time.Time{}, WalletDeposit)
	if err != nil || len(moves) != 1 || moves[0].Amount != money("11.07") || moves[0].OrderID != 0 || !strings.Contains(moves[0].Data, string(item.ID)) {
		t.Errorf("got %+v, %v, want 12.30 less ten percent for %s", moves, err, item.ID)
	}
	if main, err := s.WalletHistory(t.Context(), MainWallet, time.Time{}); err != nil || len(main) != 0 {
		t.Errorf("got %+v, %v in the main wallet, want nothing", main, err)
	}
	if after, err := s.Project(t.Context()); err != nil || after.Balance != before.Balance {
		t.Errorf("got a balance of %s, %v, want %s", after.Balance, err, before.Balance)
	}
}

// TestDepositFaults crosses every fault with a deposit: one request leaves, and
// what is on sale afterwards is there to be read under our id.
func TestDepositFaults(t *testing.T) {
	for kind, want := range map[string]struct {
		outcome string
		happens bool
	}{
		marketsim.FaultRefuse: {"unknown", false}, marketsim.FaultDropBefore: {"unknown", false}, marketsim.FaultDropAfter: {"unknown", true},
		marketsim.FaultErrorBefore: {"unknown", false}, marketsim.FaultErrorAfter: {"unknown", true},
		marketsim.FaultHTMLBefore: {"unknown", false}, marketsim.FaultHTMLAfter: {"unknown", true},
		marketsim.FaultTruncate: {"unknown", true}, marketsim.FaultGarble: {"unknown", true},
		marketsim.FaultHang: {"unknown", false}, marketsim.FaultErrorCode: {"unknown", false},
		marketsim.FaultRateLimit: {"later", false}, marketsim.FaultDelay: {"bought", true},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := openShop(t, marketsim.Config{})
			if kind == marketsim.FaultHang {
				s.cfg.Timeout = time.Second
			}
			s.world.Inject(marketsim.Fault{Market: marketsim.SIH, Method: "project/deposit", Kind: kind, Times: 1})
			d := s.give("20", "dep-1")
			if _, err := s.Deposit(t.Context(), d); outcome(err) != want.outcome {
				t.Errorf("got %s (%v), want %s", outcome(err), err, want.outcome)
			}
			if got := s.world.Requests(marketsim.SIH)["project/deposit"]; got != 1 {
				t.Errorf("got %d requests for one deposit, want 1", got)
			}
			if got := slices.Contains(s.onSale(), "dep-1"); got != want.happens {
				t.Errorf("on sale: %t, want %t", got, want.happens)
			}
			again, err := s.Deposit(t.Context(), d)
			if err != nil || (len(again.Left) == 1) != want.happens || (len(again.Problems) == 1) != want.happens {
				t.Errorf("again: got %+v, %v, want it to be on sale already: %t", again, err, want.happens)
			}
			if all := s.world.Sales(); len(all) != 1 || all[0].CustomID != "dep-1" || all[0].AssetID != string(d.Items[0].AssetID) {
				t.Errorf("the market has %+v, want the item once", all)
			}
		})
	}
}

// TestDeletionFaults: an item whose deletion got no answer is on sale or not,
// and Deposits tells.
func TestDeletionFaults(t *testing.T) {
	for kind, want := range map[string]struct {
		outcome string
		happens bool
	}{
		marketsim.FaultDropBefore: {"unknown", false}, marketsim.FaultDropAfter: {"unknown", true},
		marketsim.FaultErrorAfter: {"unknown", true}, marketsim.FaultGarble: {"unknown", true}, marketsim.FaultRateLimit: {"later", false},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := openShop(t, marketsim.Config{})
			if _, err := s.Deposit(t.Context(), s.give("20", "dep-1")); err != nil {
				t.Fatal(err)
			}
			s.world.Inject(marketsim.Fault{Market: marketsim.SIH, Method: "project/delete-deposit", Kind: kind, Times: 1})
			if _, err := s.DeleteDeposits(t.Context(), nil, []string{"dep-1"}); outcome(err) != want.outcome {
				t.Errorf("got %s (%v), want %s", outcome(err), err, want.outcome)
			}
			if got := len(s.onSale()) == 0; got != want.happens {
				t.Errorf("deleted: %t, want %t", got, want.happens)
			}
		})
	}
}

func TestDeletionSimulated(t *testing.T) {
	s := openShop(t, marketsim.Config{})
	done, err := s.Deposit(t.Context(), s.give("20", "dep-1", "dep-2", "dep-3"))
	if err != nil || len(done.Items) != 3 {
		t.Fatalf("got %+v, %v, want three items on sale", done, err)
	}
	named, err := s.DeleteDeposits(t.Context(), []DepositID{done.Items[0].ID, "1"}, []string{"dep-3", "nothing"})
	if want := []DepositID{done.Items[0].ID, done.Items[2].ID}; err != nil || !slices.Equal(named, want) {
		t.Errorf("got %v, %v, want %v", named, err, want)
	}
	if got, want := s.onSale(), []string{"dep-2"}; !slices.Equal(got, want) {
		t.Errorf("%v is on sale, want %v", got, want)
	}
	if _, err := s.DeleteDeposits(t.Context(), nil, []string{"dep-3"}); outcome(err) != "rejected: refused" || !strings.Contains(err.Error(), "items not found") {
		t.Errorf("deleted twice: got %v, want SIH's words", err)
	}
	// What was deleted can be put on sale again, under a new id.
	again := NewDeposit{SteamID: testSteam, Game: pricing.CS2, Items: []NewDepositItem{{AssetID: done.Items[0].AssetID, Price: money("19"), CustomID: "dep-4"}}}
	if done, err := s.Deposit(t.Context(), again); err != nil || len(done.Items) != 1 {
		t.Errorf("again: got %+v, %v, want it on sale", done, err)
	}
}

func TestAccountsSimulated(t *testing.T) {
	s := openShop(t, marketsim.Config{})
	const banned = "76561198000000007"
	s.world.BanAccount(banned, "steam trade ban")
	if a, err := s.AddAccount(t.Context(), banned, "token"); outcome(err) != "rejected: steam_trade_ban" || a.Trade.OK {
		t.Errorf("banned: got %+v, %v, want it refused", a, err)
	}
	if a, err := s.Account(t.Context(), testSteam); err != nil || !a.Trade.OK || !a.P2P.OK {
		t.Errorf("got %+v, %v, want it to sell", a, err)
	}
	if a, err := s.Account(t.Context(), banned); err == nil {
		t.Errorf("not attached: got %+v and no error", a)
	}
	if _, err := s.Deposit(t.Context(), s.give("12", "dep-1")); err != nil {
		t.Fatal(err)
	}
	for _, online := range []bool{false, true} {
		if err := s.SetAccountOnline(t.Context(), testSteam, online); err != nil {
			t.Fatal(err)
		}
		states, err := s.AccountStates(t.Context())
		if want := []AccountState{{testSteam, online}}; err != nil || !slices.Equal(states, want) {
			t.Errorf("got %+v, %v, want %+v", states, err, want)
		}
		accounts, err := s.Accounts(t.Context())
		if err != nil || len(accounts) != 1 || accounts[0].P2P.OK != online || !accounts[0].Trade.OK {
			t.Errorf("got %+v, %v, want P2P to be %t", accounts, err, online)
		}
		// Offline pauses what is on sale: it is listed, and not in the catalog.
		if got := s.ask().Ask == money("12"); got != online || len(s.onSale()) != 1 {
			t.Errorf("online %t: in the catalog %t and %v on sale", online, got, s.onSale())
		}
	}
	if err := s.SetAccountsOnline(t.Context(), []string{testSteam, banned}, false); outcome(err) != "rejected: refused" {
		t.Errorf("one of two is not attached: got %v, want it refused", err)
	}
	if err := s.SetAccountsOnline(t.Context(), []string{testSteam}, false); err != nil {
		t.Error(err)
	}
	if _, err := s.Deposit(t.Context(), s.give("12", "dep-2")); outcome(err) != "rejected: refused" || !strings.Contains(err.Error(), "user offline") {
		t.Errorf("offline: got %v, want it refused", err)
	}

	// More accounts than a page of either list.
	for i := range 1100 {
		id := "7656119900000" + string([]byte{'0' + byte(i/1000), '0' + byte(i/100%10), '0' + byte(i/10%10), '0' + byte(i%10)})
		if _, err := s.AddAccount(t.Context(), id, "token"); err != nil {
			t.Fatal(err)
		}
	}
	states, err := s.AccountStates(t.Context())
	accounts, err2 := s.Accounts(t.Context())
	if err != nil || err2 != nil || len(states) != 1101 || len(accounts) != 1101 {
		t.Errorf("got %d and %d accounts, %v, %v, want 1101", len(states), len(accounts), err, err2)
	}
}

// TestWebhookSimulated: what is registered is what Project tells, through every
// fault.
func TestWebhookSimulated(t *testing.T) {
	_, c := simulated(t, marketsim.Config{}, nil)
	registered := func() string {
		t.Helper()
		p, err := c.Project(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return p.Webhook
	}
	for _, address := range []string{"https://hooks.example.com/sih/" + testSecret, "https://hooks.example.com/sih?secret=a b&x=☃"} {
		if err := c.SetWebhook(t.Context(), address); err != nil || registered() != address {
			t.Errorf("got %q, %v, want %q", registered(), err, address)
		}
	}
	if err := c.RemoveWebhook(t.Context()); err != nil || registered() != "" {
		t.Errorf("got %q, %v, want none", registered(), err)
	}
}

// TestWebhookFaults: a GET that changes something is sent once all the same.
func TestWebhookFaults(t *testing.T) {
	for kind, happens := range map[string]bool{marketsim.FaultDropBefore: false, marketsim.FaultDropAfter: true, marketsim.FaultErrorBefore: false, marketsim.FaultErrorAfter: true, marketsim.FaultRefuse: false} {
		w, c := simulated(t, marketsim.Config{}, nil)
		w.Inject(marketsim.Fault{Market: marketsim.SIH, Method: "set-webhook", Kind: kind, Times: 1})
		err := c.SetWebhook(t.Context(), "https://hooks.example.com/"+testSecret)
		if outcome(err) != "unknown" || strings.Contains(err.Error(), testSecret) || w.Requests(marketsim.SIH)["set-webhook"] != 1 {
			t.Errorf("%s: got %v after %d requests, want an unknown outcome after 1", kind, err, w.Requests(marketsim.SIH)["set-webhook"])
		}
		if p, err := c.Project(t.Context()); err != nil || (p.Webhook != "") != happens {
			t.Errorf("%s: registered %q, %v, want it to have happened: %t", kind, p.Webhook, err, happens)
		}
	}
}
