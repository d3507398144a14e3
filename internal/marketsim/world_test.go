package marketsim

import (
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestSameSeedSameBytes puts two worlds through the same and compares every
// byte, with other worlds in between to be sure that the comparison can fail.
func TestSameSeedSameBytes(t *testing.T) {
	history := func(seed uint64, looks int) string {
		c := &clock{now: time.Unix(1_770_000_000, 0)}
		w, err := New(Config{Seed: seed, Now: c.Now, Items: 300, Outcomes: DefaultOutcomes, Balance: 100_000 * dollar})
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		ask := func(h http.Handler, method, address, body string) {
			req := httptest.NewRequest(method, address, strings.NewReader(body))
			req.Header.Set("X-CLIENT-ID", DemoClientID)
			req.Header.Set("X-CLIENT-SECRET", DemoClientSecret)
			req.Header.Set("apikey", DemoAPIKey)
			rw := httptest.NewRecorder()
			h.ServeHTTP(rw, req)
			fmt.Fprintln(&all, rw.Code, rw.Body)
		}
		for i := range 60 {
			n := w.skinsback.listings[i*7%len(w.skinsback.listings)].item.name
			ask(w.SkinsBack(), "POST", "/api.php", fmt.Sprintf(`{"method":"market_buy","name":%s,"partner":"1","token":"t"}`, quote(n)))
			ask(w.SIH(), "POST", "/api/v1/create-order", fmt.Sprintf(`{"steamId":"76561198000000000","token":"t","amount":900,"item":%s,"customId":"%d"}`, quote(n), i))
			for range looks { // looking changes nothing
				w.Purchases()
				c.advance(25 * time.Second / time.Duration(looks))
			}
		}
		ask(w.SkinsBack(), "POST", "/api.php", `{"method":"market_pricelist","full":1,"extended":1}`)
		ask(w.SIH(), "GET", "/api/v1/get-items?appId=730", "")
		ask(w.SkinsBack(), "POST", "/api.php", `{"method":"market_history","starting":0,"ending":1999999999}`)
		ask(w.SIH(), "GET", "/api/v1/wallet/history?limit=1000", "")
		return all.String()
	}
	first := history(7, 1)
	if history(8, 1) == first {
		t.Error("another seed gave the same world")
	}
	if history(7, 1) != first || history(7, 5) != first {
		t.Error("the same seed gave another world")
	}
}

// TestGeneratedWorld checks the size and the spread of a whole world.
func TestGeneratedWorld(t *testing.T) {
	w, err := New(Config{Seed: 1, Now: (&clock{now: time.Unix(1_770_000_000, 0)}).Now})
	if err != nil {
		t.Fatal(err)
	}
	var names, onSkinsBack, onSIH, lots, both, profitable, dear, dearOnSteam int
	var ratios []float64
	phased := map[string]bool{}
	for _, l := range w.sih.listings {
		if l.item.game != cs2 {
			continue
		}
		if names++; l.item.phase != "" {
			phased[l.item.name] = true
		}
		if l.item.ref > 2*steamCap {
			if dear++; l.item.steam > 0 && l.item.phase == "" {
				dearOnSteam++
			}
		}
		shelf := w.shelf(w.sih, l)
		if len(shelf) == 0 {
			continue
		}
		onSIH++
		if l.item.phase == "" && !l.item.hidden && l.item.steam > 0 {
			ratios = append(ratios, float64(shelf[0].price)/float64(l.item.steam))
		}
	}
	for _, l := range w.skinsback.listings {
		shelf := w.shelf(w.skinsback, l)
		if l.item.game != cs2 || len(shelf) == 0 {
			continue
		}
		onSkinsBack++
		if lots += len(shelf); l.item.phase != "" {
			lots += len(shelf) // its twin rows
		}
		if other := w.shelf(w.sih, w.sih.bySteam[key{cs2, l.item.name}]); len(other) > 0 {
			both++
			if gap := float64(other[0].price) / float64(shelf[0].price); gap*0.9 > 1.05 || 0.9/gap > 1.05 {
				profitable++
			}
		}
	}
	slices.Sort(ratios)
	decile := func(i int) float64 { return ratios[len(ratios)*i/10] }
	t.Logf("%d names, %d on SIH, %d on SkinsBack with %d lots, %d on both of which %d profitable; SIH to Steam %.2f %.2f %.2f",
		names, onSIH, onSkinsBack, lots, both, profitable, decile(1), decile(5), decile(9))

	within := func(what string, got, low, high float64) {
		t.Helper()
		if got < low || got > high {
			t.Errorf("%s: got %v, want %v to %v", what, got, low, high)
		}
	}
	within("names", float64(names), 20_000, 40_000)
	within("phases", float64(len(phased)), 729, 729)
	within("share on SIH", float64(onSIH)/float64(names), 0.75, 0.95)
	within("share on SkinsBack", float64(onSkinsBack)/float64(names), 0.33, 0.5)
	within("rows of the full list", float64(lots), 60_000, 150_000)
	within("first decile of SIH to Steam", decile(1), 0.48, 0.52)
	within("median of SIH to Steam", decile(5), 0.63, 0.67)
	within("last decile of SIH to Steam", decile(9), 0.79, 0.83)
	within("share profitable after a tenth of fees", float64(profitable)/float64(both), 0.05, 0.4)
	within("items far above Steam's cap that Steam prices", float64(dearOnSteam)/float64(dear), 0, 0.15)
}

func TestNamesHaveTraps(t *testing.T) {
	have := map[string]bool{}
	for _, n := range allNames() {
		have[n.text] = true
	}
	for _, want := range []string{
		"AK-47 | Redline (Field-Tested)", "StatTrak™ AK-47 | Redline (Field-Tested)",
		"M4A4 | 龍王 (Dragon King) (Field-Tested)", "★ Karambit", "★ StatTrak™ Karambit",
		"★ StatTrak™ Bowie Knife | Doppler Phase 2 (Factory New)", "★ Butterfly Knife | Gamma Doppler Emerald (Minimal Wear)",
		"Glock-18 | Gamma Doppler Phase 4 (Battle-Scarred)", "Michael Syfers  | FBI Sniper", "Charm | Piñatita",
		"Sticker | Ninjas in Pyjamas  | Katowice 2015", "Sticker | Doppler Poison Frog (Foil)", "Ruby Map Coin",
	} {
		if !have[want] {
			t.Errorf("no %s", want)
		}
	}
}

func TestSplitPhase(t *testing.T) {
	for text, want := range map[string][2]string{
		phase2: {bareKnife, "Phase 2"},
		"Glock-18 | Gamma Doppler Emerald (Well-Worn)": {"Glock-18 | Gamma Doppler (Well-Worn)", "Emerald"},
		bareKnife: {bareKnife, ""},
		"★ Karambit | Doppler Emerald (Factory New)": {"★ Karambit | Doppler Emerald (Factory New)", ""},
		"Sticker | Doppler Poison Frog (Foil)":       {"Sticker | Doppler Poison Frog (Foil)", ""},
	} {
		if bare, phase := splitPhase(text); bare != want[0] || phase != want[1] {
			t.Errorf("splitPhase(%q) = %q, %q, want %q", text, bare, phase, want)
		}
	}
}

func TestPricesMoveInSmallSteps(t *testing.T) {
	c := &clock{now: time.Unix(1_770_000_000, 0)}
	w, err := New(Config{Now: c.Now, Items: 2000})
	if err != nil {
		t.Fatal(err)
	}
	type state struct{ ask, count int64 }
	look := func() (all []state) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.advance()
		for _, l := range w.sih.listings {
			shelf := w.shelf(w.sih, l)
			all = append(all, state{l.ask, int64(len(shelf))})
		}
		return all
	}
	before, first := look(), look()
	var moved, largest float64
	for range 50 {
		c.advance(10 * time.Second)
		after := look()
		for i := range after {
			if after[i] != before[i] {
				moved++
			}
			if step := math.Abs(float64(after[i].ask-before[i].ask)) - cent; step > 0 {
				largest = max(largest, step/float64(before[i].ask))
			}
		}
		before = after
	}
	if share := moved / 50 / float64(len(before)); share < 0.005 || share > 0.02 {
		t.Errorf("%.3f of the listings changed each tick, want nearly 0.02", share)
	}
	if largest > 0.1 {
		t.Errorf("a price moved by %.2f at once", largest)
	}
	more, less := 0, 0
	for i := range first {
		if before[i].count > first[i].count {
			more++
		}
		if before[i].count < first[i].count {
			less++
		}
	}
	if more == 0 || less == 0 {
		t.Errorf("stock grew %d times and shrank %d times", more, less)
	}
}

func TestStillWorld(t *testing.T) {
	r := start(t, Config{Items: 200, MovePct: -1})
	before := fmt.Sprint(r.lots(nil))
	r.clock.advance(24 * time.Hour)
	if fmt.Sprint(r.lots(nil)) != before {
		t.Error("the price list moved")
	}
}

func TestPins(t *testing.T) {
	r := start(t, Config{})
	for _, market := range []string{SkinsBack, SIH} {
		r.pin(market, redline, "7.25", 2)
		r.clock.advance(24 * time.Hour)
	}
	if row := r.grouped()[redline]; fmt.Sprint(row["price"], row["count"]) != "7.252" {
		t.Errorf("SkinsBack: got %v", row)
	}
	if _, got := r.get("/get-min-item", "item", redline); fmt.Sprint(got["items"]) != "map["+redline+":map[count:2 price:7.25]]" {
		t.Errorf("SIH: got %v", got)
	}
	if err := r.SetAsk(SkinsBack, redline, 0); err != nil {
		t.Fatal(err)
	}
	if err := r.SetCount(SkinsBack, redline, -1); err != nil {
		t.Fatal(err)
	}
	if row := r.grouped()[redline]; row["price"] == "7.25" {
		t.Errorf("let go: got %v", row)
	}
	for _, err := range []error{
		r.SetAsk("ebay", redline, 1), r.SetAsk(SIH, "nothing", 1), r.SetAsk(SIH, redline, -1),
		r.SetCount(SIH, redline, -2), r.SetAsk(SkinsBack, bareKnife, 1),
	} {
		if err == nil {
			t.Error("a pin that makes no sense was accepted")
		}
	}
}

func TestCatalogFile(t *testing.T) {
	want := map[string]int64{redline: 12_450_000, ruby: 4000 * dollar}
	for _, text := range []string{
		`{"` + redline + `": 12.45, "` + ruby + `": "4000"}`,
		redline + "\t12.45\n" + ruby + "\t4000\r\n",
	} {
		got, err := ReadCatalog(strings.NewReader(text))
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "no tab", `{"a": -1}`, `{"a": [1]}`, "a\tfree", `{"": 1}`, `{"a": 1`} {
		if got, err := ReadCatalog(strings.NewReader(text)); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

func TestBadConfig(t *testing.T) {
	for _, cfg := range []Config{
		{Speed: -1}, {Tick: -1}, {Items: -1}, {MovePct: 101}, {Outcomes: Outcomes{Fail: 101}},
		{Catalog: map[string]int64{"x": 0}}, {Speed: math.NaN()},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
}

// TestInsideABubble: no goroutines and no timers, so a world works where time
// is not real.
func TestInsideABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := New(Config{Catalog: smallCatalog})
		if err != nil {
			t.Fatal(err)
		}
		body := `{"steamId":"76561198000000000","token":"t","amount":100,"item":"` + redline + `","customId":"a"}`
		req := httptest.NewRequest(http.MethodPost, "/api/v1/create-order", strings.NewReader(body))
		req.Header.Set("apikey", DemoAPIKey)
		w.SIH().ServeHTTP(httptest.NewRecorder(), req)
		time.Sleep(9 * 24 * time.Hour) // of the bubble
		if p := w.Purchases(); len(p) != 1 || p[0].Protection != "finished" {
			t.Errorf("got %+v", p)
		}
	})
}

func TestCompressed(t *testing.T) {
	r := start(t, Config{Items: 500})
	fetch := func(accept string) (encoding, body string) {
		req, _ := http.NewRequest(http.MethodGet, r.server.SIHURL+"/get-items?appId=730", nil)
		req.Header.Set("apikey", DemoAPIKey)
		req.Header.Set("Accept-Encoding", accept)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var in io.Reader = resp.Body
		if encoding = resp.Header.Get("Content-Encoding"); encoding == "gzip" {
			if in, err = gzip.NewReader(in); err != nil {
				t.Fatal(err)
			}
		}
		data, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		return encoding, string(data)
	}
	_, plain := fetch("identity")
	for accept, want := range map[string]string{"gzip": "gzip", "br, gzip;q=0.5": "gzip", "gzip;q=0": "", "identity": ""} {
		if encoding, body := fetch(accept); encoding != want || body != plain {
			t.Errorf("%s: got encoding %q and %d bytes, want %q and %d", accept, encoding, len(body), want, len(plain))
		}
	}
}

// TestConcurrentUse is for the race detector, and checks that stock is never
// sold twice.
func TestConcurrentUse(t *testing.T) {
	r := start(t, Config{RatePerMinute: 10_000})
	r.pin(SkinsBack, redline, "1", 20)
	r.pin(SIH, redline, "1", 20)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 10 {
				r.buy(redline, nil)
				r.order(redline, "1", fmt.Sprint(worker, "-", i), nil)
				r.grouped()
				r.get("/get-items")
				r.clock.advance(time.Second)
				r.Inject(Fault{Kind: FaultDelay, Times: 1})
			}
		})
	}
	wg.Wait()
	if got := len(r.Purchases()); got != 40 {
		t.Errorf("%d purchases of 40 lots", got)
	}
	r.checkBooks(10_000 * dollar)
}

func BenchmarkCatalogs(b *testing.B) {
	for _, c := range []struct{ name, method, address, body string }{
		{"grouped", "POST", "/api.php", `{"method":"market_pricelist"}`},
		{"full", "POST", "/api.php", `{"method":"market_pricelist","full":1}`},
		{"items", "GET", "/api/v1/get-items?appId=730", ""},
	} {
		b.Run(c.name, func(b *testing.B) {
			clock := &clock{now: time.Unix(1_770_000_000, 0)}
			w, err := New(Config{Now: clock.Now, RatePerMinute: math.MaxInt})
			if err != nil {
				b.Fatal(err)
			}
			h := w.SkinsBack()
			if c.method == "GET" {
				h = w.SIH()
			}
			for b.Loop() {
				clock.advance(10 * time.Second) // a tick: nothing is cached
				req := httptest.NewRequest(c.method, c.address, strings.NewReader(c.body))
				req.Header.Set("X-CLIENT-ID", DemoClientID)
				req.Header.Set("X-CLIENT-SECRET", DemoClientSecret)
				req.Header.Set("apikey", DemoAPIKey)
				h.ServeHTTP(httptest.NewRecorder(), req)
			}
		})
	}
}
