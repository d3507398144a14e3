package partner_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"skinarb/partner"
	"skinarb/pricing"
)

const testKey = "test_deposit_api_key_0001"

// start is the time at which every test begins.
var start = time.Unix(1_769_136_000, 0).UTC()

var bot = partner.Bot{
	Nickname: "storebot-01",
	Avatar:   "https://avatars.akamai.steamstatic.com/975652750497a790ab91b828c1749943b6f6fc8e_medium.jpg",
}

// fakeDesk has asks by item id.
type fakeDesk struct {
	mu      sync.Mutex
	asks    map[string]pricing.Money
	aliases map[string]string
	panics  bool
}

// Goods knows SIH's id of what is listed, too.
func (d *fakeDesk) Goods(id string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if ours, ok := d.aliases[id]; ok {
		return ours
	}
	return id
}

func (d *fakeDesk) Ask(itemID string) (pricing.Money, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.panics {
		panic("no desk today")
	}
	ask, listed := d.asks[itemID]
	return ask, listed
}

// take puts an item off sale.
func (d *fakeDesk) take(itemID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.asks, itemID)
}

// shop is a server with what stands around it.
type shop struct {
	*partner.Server
	store *memStore
	desk  *fakeDesk
	now   time.Time
}

func newShop(t testing.TB, change ...func(*partner.Config)) *shop {
	t.Helper()
	sh := &shop{store: newMemStore(), now: start, desk: &fakeDesk{asks: map[string]pricing.Money{"50231": 1_200_000}}}
	sh.restart(t, change...)
	return sh
}

// restart gives the shop a new server on the same store.
func (sh *shop) restart(t testing.TB, change ...func(*partner.Config)) {
	t.Helper()
	cfg := partner.Config{Key: []byte(testKey), Store: sh.store, Desk: sh.desk, Bot: bot, Now: func() time.Time { return sh.now }}
	for _, f := range change {
		f(&cfg)
	}
	var err error
	if sh.Server, err = partner.New(cfg); err != nil {
		t.Fatal(err)
	}
}

// woken tells whether the desk has been woken since it was asked last.
func (sh *shop) woken() bool {
	select {
	case <-sh.Wake():
		return true
	default:
		return false
	}
}

// call is one call of SIH's.
type call struct {
	Create    *string         `json:"create"` // body of a create-purchase
	Get       *string         `json:"get"`    // or query of a get-purchase
	Signature string          `json:"signature"`
	Want      json.RawMessage `json:"want"`
	Times     int             `json:"times"` // at once; 0 is 1
}

func (c call) String() string {
	if c.Create != nil {
		return "create-purchase " + *c.Create
	}
	return "get-purchase?" + *c.Get
}

func (c call) make(s *partner.Server) []byte {
	if c.Create != nil {
		return s.Create(context.Background(), []byte(*c.Create), c.Signature)
	}
	return s.Get(context.Background(), *c.Get, c.Signature)
}

// readTestdata reads a fixture into v.
func readTestdata(t testing.TB, name string, v any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("read testdata/%s: %v", name, err)
	}
}

// checkAnswer holds an answer against all that SIH is known to check and to need.
func checkAnswer(answer []byte) error {
	var root map[string]any
	dec := json.NewDecoder(strings.NewReader(string(answer)))
	dec.UseNumber()
	if err := dec.Decode(&root); err != nil {
		return fmt.Errorf("no object: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the answer")
	}
	switch root["success"] {
	case true:
		data, ok := root["data"].(map[string]any)
		if !ok || len(root) != 2 {
			return errors.New("success needs data, and nothing else")
		}
		return checkData(data)
	case false:
		if text, ok := root["error"].(string); !ok || text == "" || len(root) != 2 {
			return errors.New("no success needs an error, and nothing else")
		}
		return nil
	}
	return errors.New("success is no boolean")
}

func checkData(data map[string]any) error {
	known := []string{"id", "price", "offerId", "status", "avatar", "nickname", "reason", "protection"}
	for name := range data {
		if !slices.Contains(known, name) {
			return fmt.Errorf("unknown member %q", name)
		}
	}
	for _, name := range known[:6] {
		if _, ok := data[name]; !ok {
			return fmt.Errorf("no member %q", name)
		}
	}
	switch id := data["id"].(type) {
	case json.Number:
		if n, err := id.Int64(); err != nil || n > 1<<53-1 {
			return fmt.Errorf("id %s is no safe integer", id)
		}
	case string:
		if id == "" || strings.Trim(id, "0123456789") != "" {
			return fmt.Errorf("id %q is not only digits", id)
		}
	default:
		return errors.New("id is neither number nor text")
	}
	if _, ok := data["price"].(json.Number); !ok {
		return errors.New("price is no number")
	}
	for _, name := range []string{"avatar", "nickname"} {
		if _, ok := data[name].(string); !ok {
			return fmt.Errorf("%s is no text", name)
		}
	}
	status, _ := data["status"].(string)
	if !slices.Contains([]string{"created", "sent", "finished", "failed"}, status) {
		return fmt.Errorf("status %q", status)
	}
	offer, isNumber := data["offerId"].(json.Number)
	if !isNumber && data["offerId"] != nil {
		return errors.New("offerId is neither number nor null")
	}
	if n, err := offer.Int64(); isNumber && (err != nil || n <= 0 || status == "created") || status == "sent" && !isNumber {
		return fmt.Errorf("offerId %q while %s", offer, status)
	}
	reason, has := data["reason"]
	if has != (status == "failed") || has && !slices.Contains([]any{"canceled by buyer", "canceled by seller", "send timeout", "bad price", "invalid tradelink"}, reason) {
		return fmt.Errorf("reason %q while %s", reason, status)
	}
	if p, has := data["protection"]; has {
		block, ok := p.(map[string]any)
		if !ok || status != "finished" {
			return fmt.Errorf("protection while %s", status)
		}
		return checkProtection(block)
	}
	return nil
}

func checkProtection(p map[string]any) error {
	seconds := func(name string) bool {
		n, _ := p[name].(json.Number)
		at, err := n.Int64()
		return err == nil && at > 1e9 && at < 1e10
	}
	allowed := []string{"status", "until"}
	switch p["status"] {
	case "processing", "finished":
		if _, has := p["until"]; has && !seconds("until") {
			return fmt.Errorf("until %v is not in seconds", p["until"])
		}
	case "failed":
		allowed = []string{"status", "error", "rollbackAt", "rollbackAmount"}
		if p["error"] != "rollback user" && p["error"] != "rollback supplier" {
			return fmt.Errorf("error %q", p["error"])
		}
		if _, ok := p["rollbackAmount"].(json.Number); !ok || !seconds("rollbackAt") {
			return fmt.Errorf("rollback at %v of %v", p["rollbackAt"], p["rollbackAmount"])
		}
	default:
		return fmt.Errorf("protection status %q", p["status"])
	}
	for name := range p {
		if !slices.Contains(allowed, name) {
			return fmt.Errorf("%s while the protection is %s", name, p["status"])
		}
	}
	return nil
}

// TestCheckAnswer: what SIH is known to refuse must not pass.
func TestCheckAnswer(t *testing.T) {
	const created = `{"success":true,"data":{"id":1001,"price":1.23,"offerId":null,"status":"created","avatar":"a","nickname":"n"}}`
	const sent = `{"success":true,"data":{"id":1001,"price":1.23,"offerId":7912345678,"status":"sent","avatar":"a","nickname":"n"}}`
	const finished = `{"success":true,"data":{"id":1001,"price":1.23,"offerId":7912345678,"status":"finished","avatar":"a","nickname":"n","protection":{"status":"processing","until":1769740800}}}`
	for _, good := range []string{created, sent, finished, `{"success":false,"error":"not found"}`} {
		if err := checkAnswer([]byte(good)); err != nil {
			t.Errorf("%s: got %v, want it to pass", good, err)
		}
	}
	for _, tt := range []struct{ from, old, new string }{
		{sent, `"offerId"`, `"offerid"`},
		{finished, `,"protection":{"status":"processing","until":1769740800}}`, `},"protection":{"status":"processing","until":1769740800}`},
		{created, `1001`, `"fast-1001"`},
		{created, `1001`, `"P-7"`},
		{created, `1001`, `""`},
		{created, `1001`, `9223372036854775807`},
		{created, `1001`, `1001.5`},
		{created, `"nickname":"n"`, `"nickname":"n","reason":""`},
		{sent, `"nickname":"n"`, `"nickname":"n","reason":""`},
		{finished, `"nickname":"n"`, `"nickname":"n","reason":"send timeout"`},
		{created, `"created"`, `"processing"`},
		{created, `"created"`, `"penalized"`},
		{created, `"created"`, `"failed"`},
		{created, `"created"`, `"failed","reason":"timeout"`},
		{finished, `"finished"`, `"sent"`},
		{created, `null`, `7912345678`},
		{sent, `7912345678`, `"7912345678"`},
		{sent, `7912345678`, `null`},
		{created, `"offerId":null,`, ``},
		{finished, `1769740800`, `1769740800000`},
		{created, `1.23`, `"1.23"`},
		{finished, `"processing"`, `"failed"`},
		{created, `true`, `"true"`},
		{created, `}}`, `}}{}`},
	} {
		bad := strings.Replace(tt.from, tt.old, tt.new, 1)
		if bad == tt.from || checkAnswer([]byte(bad)) == nil {
			t.Errorf("%s passes, want it refused", bad)
		}
	}
}
