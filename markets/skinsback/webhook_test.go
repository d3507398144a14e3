package skinsback

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// sign is the signature of a webhook's body.
func sign(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

// The vectors of the documented algorithm.
const (
	vectorSecret = "test-secret"
	vectorBody   = `{"event":"status_change","data":{"item":{"id":"2516"},"buy_id":"65","offer_status":"accepted","error_reason":null,"tradeofferid":"4176876858","custom_id":"ord-0001"}}`
	vectorSign   = "51905494382739edc79d1faa0fe6cf396592fedc16b76db4399d3b12c6fb2076"
	spacedSign   = "2e9f1bf5d76be53f287344f5f55cecd5e8a77e0f439b6ae9547f6a0286db7f19"
)

func TestWebhookSignature(t *testing.T) {
	c := newClient(t, "", func(cfg *Config) { cfg.ClientSecret = vectorSecret })
	for _, tt := range []struct {
		name                     string
		signature, authorization string
		body                     string
		ok                       bool
	}{
		{"the documented vector", vectorSign, "", vectorBody, true},
		{"in Authorization", "", vectorSign, vectorBody, true},
		{"in Authorization with a scheme", "", "HMAC-SHA256 " + vectorSign, vectorBody, true},
		{"in Signature with a scheme and spaces", " sha256 " + vectorSign + " ", "", vectorBody, true},
		{"in capitals", strings.ToUpper(vectorSign), "", vectorBody, true},
		{"in Authorization beside something else", "none", vectorSign, vectorBody, true},
		{"of other bytes of the same JSON", vectorSign, "", strings.ReplaceAll(vectorBody, ",", ", "), false},
		{"a body more", vectorSign, "", vectorBody + "\n", false},
		{"the vector of the body with spaces", spacedSign, "", vectorBody, false},
		{"by another secret", sign("other", vectorBody), "", vectorBody, false},
		{"by no secret", sign("", vectorBody), "", vectorBody, false},
		{"the constant X-SIGN", "9d75bfb0f8c22b6c7be9821a96696227", "", vectorBody, false},
		{"cut short", vectorSign[:62], "", vectorBody, false},
		{"too long", vectorSign + "00", "", vectorBody, false},
		{"no hex", strings.Repeat("zz", 32), "", vectorBody, false},
		{"the bytes of it", string(make([]byte, 32)), "", vectorBody, false},
		{"none", "", "", vectorBody, false},
		{"a scheme only", "", "Bearer ", vectorBody, false},
		{"none of no body", "", "", "", false},
	} {
		e, err := c.Webhook(tt.signature, tt.authorization, []byte(tt.body))
		if tt.ok {
			want := Event{Kind: "status_change", CustomID: "ord-0001", BuyID: "65", Status: Accepted}
			if err != nil || e != want {
				t.Errorf("%s: got %+v, %v, want %+v", tt.name, e, err, want)
			}
		} else if !errors.Is(err, ErrSignature) || e != (Event{}) {
			t.Errorf("%s: got %+v, %v, want ErrSignature and no event", tt.name, e, err)
		}
	}
}

// TestSignedNonsense is taken: its sender knows the secret, and has nothing to
// say that can be read.
func TestSignedNonsense(t *testing.T) {
	c := newClient(t, "")
	for _, body := range []string{"", "null", "[]", "pong", `{"event":`, `{"data":{}}`, strings.Repeat("[", 20_000)} {
		e, err := c.Webhook(sign(testSecret, body), "", []byte(body))
		if err != nil || e != (Event{}) {
			t.Errorf("%.40q: got %+v, %v, want the zero event", body, e, err)
		}
	}
}

func TestReadEvent(t *testing.T) {
	bought := Event{Kind: "buy_item", CustomID: "ord-0001", BuyID: "70065", Status: CreatingTrade}
	changed := func(s OfferStatus) Event {
		return Event{Kind: "status_change", CustomID: "ord-0001", BuyID: "70065", Status: s}
	}
	for _, tt := range []struct {
		body string
		want Event
		ok   bool
	}{
		{sample(t, "event_buy_item.json"), bought, true},
		{sample(t, "event_balance_change_as_documented.json"), bought, true},
		{sample(t, "event_balance_change.json"), Event{Kind: "balance_change"}, true},
		{sample(t, "event_status_change_waiting_accept.json"), changed(WaitingAccept), true},
		{sample(t, "event_status_change_accepted.json"), changed(Accepted), true},
		{sample(t, "event_status_change_timeout.json"), changed(Timeout), true},
		{sample(t, "event_status_change_rollback_user.json"), changed(RollbackUser), true},
		{sample(t, "ws_auth_success.json"), Event{Kind: authSuccess}, true},
		{sample(t, "ws_auth_failed.json"), Event{Kind: authFailed}, true},

		{`{"event":"x","data":{"buy_id":65,"custom_id":7,"offer_status":"new_one"}}`, Event{"x", "7", "65", "new_one"}, true},
		{`{"event":"x","data":{"buy_id":null,"custom_id":[],"offer_status":{"a":1}}}`, Event{Kind: "x"}, true},
		{`{"event":"x","data":{"buy_id":["1"],"custom_id":"a"}}`, Event{Kind: "x", CustomID: "a"}, true},
		{`{"event":"x","data":{"custom_id":"two words","buy_id":"é"}}`, Event{Kind: "x"}, true},
		{`{"event":"x","data":{"custom_id":"` + strings.Repeat("9", maxClue+1) + `"}}`, Event{Kind: "x"}, true},
		{`{"event":"x","data":[]}`, Event{Kind: "x"}, true},
		{`{"event":"x","data":"text"}`, Event{Kind: "x"}, true},
		{`{"event":"x"}`, Event{Kind: "x"}, true},
		{`{"event":"","data":{"buy_id":"1"}}`, Event{}, false},
		{`{"event":{},"data":{"buy_id":"1"}}`, Event{}, false},
		{`{"buy_id":"1"}`, Event{}, false},
		{`[{"event":"x"}]`, Event{}, false},
		{`"event"`, Event{}, false},
		{`pong`, Event{}, false},
		{``, Event{}, false},
	} {
		if got, ok := readEvent([]byte(tt.body)); got != tt.want || ok != tt.ok {
			t.Errorf("%.100s: got %+v, %v, want %+v, %v", tt.body, got, ok, tt.want, tt.ok)
		}
	}
}

// FuzzEvent asserts that whatever is read is short and fit for a look-up, and
// that a signature counts for its own body only.
func FuzzEvent(f *testing.F) {
	for _, name := range append(samples(f, "event_*.json"), samples(f, "ws_*.json")...) {
		f.Add([]byte(sample(f, name)), vectorSign)
	}
	for _, s := range []string{`{"event":1,"data":{"buy_id":1e9}}`, `{"event":"x","data":[{}]}`, "{\"event\":\"\xff\"}", `{}`, ``} {
		f.Add([]byte(s), "Bearer x")
	}
	c, err := New(Config{ClientID: testID, ClientSecret: testSecret})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in []byte, header string) {
		e, ok := readEvent(in)
		if ok != (e.Kind != "") {
			t.Errorf("%q: got %+v, %v, want a kind exactly when it is an event", in, e, ok)
		}
		for _, field := range []string{e.Kind, e.CustomID, e.BuyID, string(e.Status)} {
			if len(field) > maxClue || field != "" && !headerValue(field) {
				t.Errorf("%q: got the field %q", in, field)
			}
		}
		if _, err := c.Webhook(header, header, in); err == nil && !strings.Contains(strings.ToLower(header), sign(testSecret, string(in))) {
			t.Errorf("%q signs %q", header, in)
		}
		if got, err := c.Webhook(sign(testSecret, string(in)), "", in); err != nil || got != e {
			t.Errorf("%q, signed: got %+v, %v, want %+v", in, got, err, e)
		}
	})
}
