package partner_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"skinarb/partner"
	"skinarb/pricing"
)

// sign gives the signature of what text means.
func sign(text string) string {
	if canonical, err := partner.Canonical([]byte(text)); err == nil {
		text = string(canonical)
	}
	mac := hmac.New(sha1.New, []byte(testKey))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// body gives a whole create-purchase at 1.23.
func body(customID, itemID string) string {
	return fmt.Sprintf(`{"id":%q,"steamId":"76561198000000000","token":"SSH18JS","price":1.23,"customId":%q}`, itemID, customID)
}

// reply is an answer, read.
type reply struct {
	Success bool
	Data    struct {
		ID         json.Number
		Status     string
		Reason     string
		Protection map[string]any
	}
	Error string
	raw   string
}

func read(t testing.TB, answer []byte) reply {
	t.Helper()
	if err := checkAnswer(answer); err != nil {
		t.Fatalf("%s is no answer of the protocol: %v", answer, err)
	}
	r := reply{raw: string(answer)}
	if err := json.Unmarshal(answer, &r); err != nil {
		t.Fatalf("read %s: %v", answer, err)
	}
	return r
}

func (sh *shop) create(t testing.TB, body string) reply {
	t.Helper()
	return read(t, sh.Create(context.Background(), []byte(body), sign(body)))
}

func (sh *shop) get(t testing.TB, customID string) reply {
	t.Helper()
	quoted, err := json.Marshal(customID)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, sh.Get(context.Background(), "customId="+url.QueryEscape(customID), sign(`{"customId":`+string(quoted)+`}`)))
}

// poll gives data of fast-12345, with the members of protection as protection.x.
func (sh *shop) poll(t interface {
	Fatalf(format string, args ...any)
}) map[string]any {
	answer := sh.Get(context.Background(), "customId=fast-12345", sign(`{"customId":"fast-12345"}`))
	var root struct{ Data map[string]any }
	if err := checkAnswer(answer); err != nil {
		t.Fatalf("%s is no answer of the protocol: %v", answer, err)
	}
	if err := json.Unmarshal(answer, &root); err != nil {
		t.Fatalf("read %s: %v", answer, err)
	}
	if p, ok := root.Data["protection"].(map[string]any); ok {
		for name, v := range p {
			root.Data["protection."+name] = v
		}
	}
	return root.Data
}

// TestPayload: what is answered to bodies that are signed and strange. An empty
// error is success.
func TestPayload(t *testing.T) {
	with := func(old, new string) string { return strings.Replace(body("fast-1", "50231"), old, new, 1) }
	for _, tt := range []struct{ body, want string }{
		{body("fast-1", "50231"), ""},
		{with(`"50231"`, `50231`), ""},
		{with(`"50231"`, `50231.0`), ""},
		{with(`"50231"`, `5.0231e4`), ""},
		{with(`"fast-1"`, `"fast-\u2605"`), ""},
		{with(`"fast-1"`, `"`+strings.Repeat("x", 200)+`"`), ""},
		{with(`1.23`, `1.2`), ""},
		{with(`1.23`, `9999999.99`), ""},
		{with(`1.23`, `1.2000000000000002`), ""},
		{with(`{`, `{"steamId":1,"2":2,`), ""},

		{with(`1.23`, `1.1999999999999999`), ""}, // reads as 1.2
		{with(`1.23`, `1.1999999999`), "bad price"},
		{with(`1.23`, `1.19`), "bad price"},
		{with(`1.23`, `1e-9`), "bad price"},
		{with(`1.23`, `1.5e300`), "bad price"},
		{with(`1.23`, `1e999`), "bad price"},
		{with(`1.23`, `-0`), "bad price"},
		{with(`50231`, `50230`), "bad price"},
		{with(`50231`, `x`), "bad price"},

		{with(`1.23`, `null`), "invalid tradelink"},
		{with(`1.23`, `[1.23]`), "invalid tradelink"},
		{with(`"price":1.23,`, ``), "invalid tradelink"},
		{with(`"50231"`, `-50231`), "invalid tradelink"},
		{with(`"50231"`, `50231.5`), "invalid tradelink"},
		{with(`"50231"`, `9007199254740993`), "invalid tradelink"},
		{with(`"50231"`, `""`), "invalid tradelink"},
		{with(`"50231"`, `null`), "invalid tradelink"},
		{with(`50231`, `50 231`), "invalid tradelink"},
		{with(`50231`, strings.Repeat("5", 65)), "invalid tradelink"},
		{with(`"id":"50231",`, ``), "invalid tradelink"},
		{with(`"fast-1"`, `null`), "invalid tradelink"},
		{with(`"fast-1"`, `12345`), "invalid tradelink"},
		{with(`"fast-1"`, `["fast-1"]`), "invalid tradelink"},
		{with(`"fast-1"`, `"\ud83d"`), "invalid tradelink"},
		{with(`"fast-1"`, `"a\u0000b"`), "invalid tradelink"},
		{with(`"fast-1"`, `"`+strings.Repeat("x", 201)+`"`), "invalid tradelink"},
		{with(`,"customId":"fast-1"`, ``), "invalid tradelink"},
		{with(`SSH18JS`, `SSH 8JS`), "invalid tradelink"},
		{with(`76561198000000000`, `76561197960265728`), "invalid tradelink"},
		{`{}`, "invalid tradelink"},
		{`[]`, "invalid tradelink"},
		{`null`, "invalid tradelink"},
		{`"fast-1"`, "invalid tradelink"},
		{`[` + body("fast-1", "50231") + `]`, "invalid tradelink"},
	} {
		sh := newShop(t)
		got := sh.create(t, tt.body)
		if got.Error != tt.want || len(sh.store.all) == 1 != (tt.want == "") || sh.woken() != (tt.want == "") {
			t.Errorf("%.150s: got %s with %d stored, want error %q", tt.body, got.raw, len(sh.store.all), tt.want)
		}
	}
}

// TestPriceIsRoundedDown: the price is what we get.
func TestPriceIsRoundedDown(t *testing.T) {
	for price, want := range map[string]pricing.Money{"1.23": 1_230_000, "1.2345678": 1_234_567, "1.2300000000000002": 1_230_000, "2": 2_000_000, "1.5e0": 1_500_000} {
		sh := newShop(t)
		sh.create(t, strings.Replace(body("fast-1", "50231"), "1.23", price, 1))
		if got := sh.store.all["fast-1"].Price; got != want {
			t.Errorf("price %s: got %s, want %s", price, got, want)
		}
	}
}

// TestStoredAsGiven looks at the whole purchase.
func TestStoredAsGiven(t *testing.T) {
	sh := newShop(t)
	sh.create(t, body("fast-1", "50231"))
	want := partner.Purchase{
		ID: 1001, CustomID: "fast-1", ItemID: "50231", Buyer: partner.Buyer{SteamID: "76561198000000000", Token: "SSH18JS"},
		Price: 1_230_000, State: partner.Created, CreatedAt: start, UpdatedAt: start,
	}
	if got := sh.store.all["fast-1"]; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestOneItemIsSoldOnce: of two orders of one item the second is refused, until the
// first one failed.
func TestOneItemIsSoldOnce(t *testing.T) {
	sh := newShop(t)
	sh.create(t, body("fast-1", "50231"))
	if got := sh.create(t, body("fast-2", "50231")); got.Error != "bad price" {
		t.Errorf("the second order: got %s, want bad price", got.raw)
	}
	if _, err := sh.store.Advance(t.Context(), "fast-1", given["declined"]); err != nil {
		t.Fatal(err)
	}
	if got := sh.create(t, body("fast-2", "50231")); !got.Success {
		t.Errorf("after the first one failed: got %s, want success", got.raw)
	}
}

// TestRepeatAtOnce: however many times an order comes at the same moment, there is
// one purchase, and every answer is about it.
func TestRepeatAtOnce(t *testing.T) {
	sh := newShop(t)
	var mu sync.Mutex
	var wg sync.WaitGroup
	answers := map[string]int{}
	b := body("fast-1", "50231")
	for range 50 {
		wg.Go(func() {
			got := sh.Create(context.Background(), []byte(b), sign(b))
			mu.Lock()
			defer mu.Unlock()
			answers[string(got)]++
		})
	}
	wg.Wait()
	if len(answers) != 1 || len(sh.store.all) != 1 {
		t.Errorf("got answers %v with %d stored, want one", answers, len(sh.store.all))
	}
	if got, want := sh.Counts(), (partner.Counts{Created: 1, Repeated: 49}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestRepeatWhileThePriceMoves: the second of two equal calls finds that the item
// is not for sale any more, while the first is being stored. It is about the same
// order, so it is answered as the first is.
func TestRepeatWhileThePriceMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowStore{Store: newMemStore(), release: make(chan struct{})}
		sh := newShop(t, func(cfg *partner.Config) { cfg.Store = slow })
		b := body("fast-1", "50231")
		answers := make(chan string, 2)
		ask := func() { answers <- string(sh.Create(context.Background(), []byte(b), sign(b))) }
		go ask()
		synctest.Wait()
		sh.desk.take("50231")
		go ask()
		synctest.Wait()
		close(slow.release)
		if first, second := <-answers, <-answers; first != second || !strings.Contains(first, `"success":true`) {
			t.Errorf("got %s and %s, want the order twice", first, second)
		}
	})
}

// slowStore stores nothing before it may.
type slowStore struct {
	partner.Store
	release chan struct{}
}

func (s *slowStore) Create(ctx context.Context, p partner.Purchase) (partner.Purchase, bool, error) {
	<-s.release
	return s.Store.Create(ctx, p)
}

// TestMismatch: a repetition that asks for something else gets the old answer, and
// is counted and logged without the token.
func TestMismatch(t *testing.T) {
	for _, tt := range []struct{ old, new string }{
		{"50231", "50232"}, {"1.23", "1.24"}, {"1.23", "0"}, {"SSH18JS", "SECRET0"}, {"76561198000000000", "76561198000000001"}, {`"SSH18JS"`, `7`},
	} {
		var log strings.Builder
		sh := newShop(t, func(cfg *partner.Config) { cfg.Logger = slog.New(slog.NewJSONHandler(&log, nil)) })
		first := sh.create(t, body("fast-1", "50231"))
		sh.create(t, body("fast-1", "50231"))
		if log.String() != "" {
			t.Errorf("an exact repetition was logged: %s", log.String())
		}
		got := sh.create(t, strings.Replace(body("fast-1", "50231"), tt.old, tt.new, 1))
		if got.raw != first.raw || sh.Counts().Mismatched != 1 || sh.Counts().Repeated != 2 {
			t.Errorf("%s for %s: got %s and %+v, want %s and one mismatch", tt.new, tt.old, got.raw, sh.Counts(), first.raw)
		}
		if !strings.Contains(log.String(), "fast-1") || strings.Contains(log.String(), "SSH18JS") || strings.Contains(log.String(), "SECRET") {
			t.Errorf("%s for %s: logged %q, want the order and no token", tt.new, tt.old, log.String())
		}
	}
}

// TestNobodyWaitsForTheDesk: orders are answered while the desk does nothing at
// all, and when it comes back one value tells it to look.
func TestNobodyWaitsForTheDesk(t *testing.T) {
	sh := newShop(t)
	for n := range 100 {
		id := fmt.Sprint(n)
		sh.desk.asks[id] = pricing.Cent
		if got := sh.create(t, body("fast-"+id, id)); !got.Success {
			t.Fatalf("order %d: got %s, want success", n, got.raw)
		}
		sh.get(t, "fast-"+id)
	}
	if !sh.woken() || sh.woken() {
		t.Error("the desk was not woken exactly once")
	}
	all, err := sh.store.Open(t.Context())
	if err != nil || len(all) != 100 {
		t.Errorf("the desk finds %d purchases, error %v, want 100", len(all), err)
	}
}

// TestPolled: SIH's interest in a purchase shows with its first poll, wakes the
// desk once, and is forgotten when the trade is under way or the process ends.
func TestPolled(t *testing.T) {
	sh := newShop(t)
	polled := func() time.Time { return sh.Polled("fast-1") }
	sh.create(t, body("fast-1", "50231"))
	sh.create(t, body("fast-1", "50231"))
	if !sh.woken() || !polled().IsZero() {
		t.Error("after create: the desk was not woken, or SIH counts as polling")
	}
	sh.Get(t.Context(), "customId=fast-1", strings.Repeat("0", 40))
	if sh.woken() || !polled().IsZero() {
		t.Error("after a forged poll: the desk was woken, or SIH counts as polling")
	}
	for n := range 3 {
		sh.now = sh.now.Add(5 * time.Second)
		sh.get(t, "fast-1")
		if sh.woken() != (n == 0) || !polled().Equal(sh.now) {
			t.Errorf("poll %d: last poll %s, want %s, and the desk woken by the first one only", n, polled(), sh.now)
		}
	}
	sh.restart(t)
	if !polled().IsZero() {
		t.Error("after a restart SIH counts as polling")
	}
	sh.get(t, "fast-1")
	if !sh.woken() || polled().IsZero() {
		t.Error("after a restart a poll does not count as the first one")
	}
	if _, err := sh.store.Advance(t.Context(), "fast-1", given["sent"]); err != nil {
		t.Fatal(err)
	}
	sh.get(t, "fast-1")
	if sh.woken() || !polled().IsZero() {
		t.Error("a poll of what is sent is remembered, or wakes the desk")
	}
}

// TestPolledIsBounded: when too many purchases wait to be sent, polls that are long
// past make room, and no others.
func TestPolledIsBounded(t *testing.T) {
	sh := newShop(t)
	add := func(n int) string {
		id := fmt.Sprintf("fast-%d", n)
		sh.store.all[id] = partner.Purchase{ID: int64(n + 1), CustomID: id, State: partner.Created}
		sh.get(t, id)
		return id
	}
	for n := range partner.MaxPolled {
		add(n)
	}
	if id := add(partner.MaxPolled); !sh.Polled(id).IsZero() {
		t.Errorf("%s is remembered, want no room for it", id)
	}
	sh.now = sh.now.Add(partner.PollLasts + time.Second)
	sh.get(t, "fast-0")
	if id := add(partner.MaxPolled); sh.Polled(id).IsZero() || sh.Polled("fast-0").IsZero() || !sh.Polled("fast-1").IsZero() {
		t.Error("old polls have not made room, or new ones have")
	}
}

var errDisk = errors.New("the disk is broken")

// TestFailingStore crosses the store's calls with what may happen in them: what is
// answered, and whether a purchase that was refused can be traded.
func TestFailingStore(t *testing.T) {
	type fault struct {
		call    string
		from    int // the first of these calls that fails
		happens bool
	}
	for _, tt := range []struct {
		name   string
		faults []fault
		want   string // error of the answer; empty is success
		stored int
	}{
		{"nothing can be read", []fault{{"get", 0, false}}, "internal error", 0},
		{"nothing can be written", []fault{{"create", 0, false}}, "internal error", 0},
		{"written, and the reply is lost", []fault{{"create", 0, true}}, "", 1},
		{"written, and nothing can be read any more", []fault{{"create", 0, true}, {"get", 1, false}}, "internal error", 1},
	} {
		var log strings.Builder
		sh := newShop(t, func(cfg *partner.Config) { cfg.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		calls := map[string]int{}
		sh.store.fault = func(call string) (bool, error) {
			n := calls[call]
			calls[call]++
			for _, f := range tt.faults {
				if f.call == call && n >= f.from {
					return f.happens, errDisk
				}
			}
			return true, nil
		}
		got := sh.create(t, body("fast-1", "50231"))
		if got.Error != tt.want || len(sh.store.all) != tt.stored {
			t.Errorf("%s: got %s with %d stored, want error %q with %d", tt.name, got.raw, len(sh.store.all), tt.want, tt.stored)
		}
		if refused := tt.want != ""; refused && !sh.Polled("fast-1").IsZero() || refused != (sh.Counts().Failed == 1) || refused != strings.Contains(log.String(), errDisk.Error()) {
			t.Errorf("%s: counted %+v and logged %q, want a failure exactly when it was refused", tt.name, sh.Counts(), log.String())
		}
		if strings.Contains(log.String(), "SSH18JS") {
			t.Errorf("%s: the token is in the log: %s", tt.name, log.String())
		}
		sh.store.fault = nil
		if again := sh.create(t, body("fast-1", "50231")); !again.Success || len(sh.store.all) != 1 {
			t.Errorf("%s, and again when all is well: got %s with %d stored, want success with 1", tt.name, again.raw, len(sh.store.all))
		}
	}
}

func TestFailingStoreIsNotFound(t *testing.T) {
	sh := newShop(t)
	sh.create(t, body("fast-1", "50231"))
	sh.store.fault = func(string) (bool, error) { return false, errDisk }
	if got := sh.get(t, "fast-1"); got.Error != "not found" || sh.Counts().Failed != 1 {
		t.Errorf("got %s and %+v, want not found, counted as a failure", got.raw, sh.Counts())
	}
}

// stuckStore answers nothing until its caller gives up.
type stuckStore struct{ partner.Store }

func (stuckStore) Get(ctx context.Context, _ string) (partner.Purchase, error) {
	<-ctx.Done()
	return partner.Purchase{}, ctx.Err()
}

func TestStuckStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShop(t, func(cfg *partner.Config) { cfg.Store = stuckStore{} })
		began := time.Now()
		created, got := sh.create(t, body("fast-1", "50231")), sh.get(t, "fast-1")
		if took := time.Since(began); created.Error != "internal error" || got.Error != "not found" || took > 10*time.Second {
			t.Errorf("got %s and %s after %s, want answers within seconds", created.raw, got.raw, took)
		}
	})
}

func TestPanicIsAnswered(t *testing.T) {
	var log strings.Builder
	sh := newShop(t, func(cfg *partner.Config) { cfg.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	sh.desk.panics = true
	if got := sh.create(t, body("fast-1", "50231")); got.Error != "internal error" || len(sh.store.all) != 0 {
		t.Errorf("create: got %s with %d stored, want an internal error with none", got.raw, len(sh.store.all))
	}
	sh.store.fault = func(string) (bool, error) { panic("no store today") }
	if got := sh.get(t, "fast-1"); got.Error != "not found" { // the store's last answer: it keeps its lock
		t.Errorf("get: got %s, want not found", got.raw)
	}
	if !strings.Contains(log.String(), "no desk today") || !strings.Contains(log.String(), "no store today") {
		t.Errorf("got log %q, want both panics in it", log.String())
	}
}

// TestCallerThatGaveUp: nothing is stored for a call that nobody waits for.
func TestCallerThatGaveUp(t *testing.T) {
	sh := newShop(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := body("fast-1", "50231")
	if got := read(t, sh.Create(ctx, []byte(b), sign(b))); got.Success || len(sh.store.all) != 0 {
		t.Errorf("got %s with %d stored, want no success with none", got.raw, len(sh.store.all))
	}
}

// FuzzCreate signs whatever comes: the answer is one of the protocol, and an order
// is stored exactly when it was answered as one.
func FuzzCreate(f *testing.F) {
	for _, seed := range []string{body("fast-1", "50231"), "{}", "[]", "null", "{", `{"id":50231,"customId":"\ud83d","price":1e400}`,
		strings.Replace(body("fast-1", "50231"), "1.23", "1e7", 1), strings.Replace(body("a\\u0000", "50231"), "1.23", "1e-7", 1)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		sh := newShop(t)
		got := sh.create(t, text)
		if got.Success != (len(sh.store.all) == 1) {
			t.Fatalf("%q: got %s with %d stored", text, got.raw, len(sh.store.all))
		}
		for id, p := range sh.store.all {
			if p.Price < 1_200_000 || p.Buyer.Partner() == "" || p.ItemID != "50231" {
				t.Fatalf("%q: stored %+v", text, p)
			}
			if poll := sh.get(t, id); poll.raw != got.raw {
				t.Fatalf("%q: a poll gets %s, create got %s", text, poll.raw, got.raw)
			}
		}
	})
}

// FuzzGet: whatever the query, the answer is one of the protocol and tells nothing
// without a signature.
func FuzzGet(f *testing.F) {
	for _, seed := range []string{"", "customId=fast-1", "customId=a&customId=b", "customId=%zz", "customId=%ff", "custom%49d=fast-1", "a;b", "customId", "=", "customId=\xff"} {
		f.Add(seed, strings.Repeat("0", 40))
	}
	f.Fuzz(func(t *testing.T, query, signature string) {
		sh := newShop(t)
		sh.create(t, body("fast-1", "50231"))
		if got := read(t, sh.Get(context.Background(), query, signature)); got.Error != "invalid signature" {
			t.Fatalf("%q signed %q: got %s, want invalid signature", query, signature, got.raw)
		}
	})
}
