package skinsback

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"skinarb/pricing"
)

// callbackClient knows the secret that signed the samples.
func callbackClient(t *testing.T) *Client {
	return newClient(t, "", func(cfg *Config) { cfg.ClientSecret = vectorSecret })
}

// signText is the signature of a text as callbacks have it.
func signText(secret, text string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// asForm writes a sample's parameters as PHP writes a form.
func asForm(t *testing.T, body string) string {
	t.Helper()
	var all map[string]any
	dec := json.NewDecoder(strings.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&all); err != nil {
		t.Fatal(err)
	}
	form := url.Values{}
	var add func(name string, v any)
	add = func(name string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, inner := range v {
				add(name+"["+k+"]", inner)
			}
		case []any:
			for i, inner := range v {
				add(name+"["+string(rune('0'+i))+"]", inner)
			}
		case json.Number:
			form.Set(name, v.String())
		case string:
			form.Set(name, v)
		}
	}
	for k, v := range all {
		add(k, v)
	}
	return form.Encode()
}

func TestCallbackSamples(t *testing.T) {
	c := callbackClient(t)
	success := sampleDeposit
	success.Items, success.UserUSD = nil, 8_450_000 // what the signature covers
	hold := Deposit{
		TransactionID: "116749004", OrderID: "dep-79", SteamID: "76561198060000001", Status: DepositInHold,
		USD: 7_680_000, Amount: dec("7.68"), Currency: "usd", CreatedAt: time.Unix(1_760_000_000, 0).UTC(),
	}
	risk := &UserRisk{
		Deposits: 1, DepositsSum: 7_680_000, JoinedAt: "2024-02-11 08:15:00", LastDepositAt: "2025-09-30 19:02:10",
		InventoryDollars: map[string]pricing.Money{"cs2": 14_200_000, "rust": 900_000},
	}
	for name, want := range map[string]Callback{"result_url_success.json": {success, nil}, "result_url_in_hold.json": {hold, risk}} {
		body := sample(t, name)
		for form, body := range map[string]string{"JSON": body, "a form": asForm(t, body), "JSON after spaces": "\r\n\t " + body} {
			got, err := c.DepositCallback([]byte(body))
			if d := diff(want, got); d != "" || err != nil {
				t.Errorf("%s as %s: %v (-want +got):\n%s", name, form, err, d)
			}
		}
	}
}

// TestCallbacksThatAreNotOurs changes a good callback in ways of which each must
// make it worthless.
func TestCallbacksThatAreNotOurs(t *testing.T) {
	c := callbackClient(t)
	body := sample(t, "result_url_success.json")
	form := asForm(t, body)
	mac := "69e581ea36dbf558bc7df550aacc9f1d3dab2cec"
	replace := func(in, old, new string) string {
		t.Helper()
		if !strings.Contains(in, old) {
			t.Fatalf("%q is not in the sample", old)
		}
		return strings.Replace(in, old, new, 1)
	}
	for name, bad := range map[string]string{
		"nothing":                       "",
		"not JSON":                      "{",
		"a list":                        "[]",
		"a text":                        `"status"`,
		"no sign":                       replace(body, `"sign"`, `"sgin"`),
		"an empty sign":                 replace(body, mac, ""),
		"a short sign":                  replace(body, mac, mac[:38]),
		"a long sign":                   replace(body, mac, mac+"00"),
		"no hex":                        replace(body, mac, strings.Repeat("z", 40)),
		"the signature of nothing":      replace(body, mac, signText(vectorSecret, "")),
		"by no secret":                  replace(body, mac, signText("", "amount:7.68;")),
		"the constant X-SIGN":           replace(body, mac, "9d75bfb0f8c22b6c7be9821a96696227"),
		"another amount":                replace(body, `"amount": "7.68"`, `"amount": "9.68"`),
		"another form of the amount":    replace(body, `"amount": "7.68"`, `"amount": "7.680"`),
		"another status":                replace(body, `"status": "success"`, `"status": "hold_approved"`),
		"another order":                 replace(body, "dep-77", "dep-78"),
		"a parameter more":              replace(body, `"status"`, `"extra":"x","status"`),
		"a parameter less":              replace(body, `"user_amount": "8.45",`, ""),
		"a parameter twice":             replace(body, `"status": "success"`, `"status": "success","status": "success"`),
		"a parameter first as another":  replace(body, `"status": "success"`, `"status": "fail","status": "success"`),
		"a scalar made a list":          replace(body, `"status": "success"`, `"status": ["success"]`),
		"something after it":            body + "{}",
		"more objects":                  body + body,
		"cut off":                       body[:len(body)-3],
		"a form with a parameter twice": form + "&status=success",
		"a form with another amount":    replace(form, "amount=7.68", "amount=9.68"),
		"a form that is none":           form + "&%zz",
		"two pairs in one":              replace(body, `"amount": "7.68",`, `"amount": "7.68;amount_currency:usd",`),
		"a name with a colon":           replace(body, `"status"`, `"a:b":"","status"`),
		"huge":                          replace(body, `"skins"`, `"pad":"`+strings.Repeat("x", maxCallback)+`","skins"`),
		"deep":                          `{"a":` + strings.Repeat("[", 50_000),
	} {
		if got, err := c.DepositCallback([]byte(bad)); !errors.Is(err, ErrSignature) || diff(Callback{}, got) != "" {
			t.Errorf("%s: got %+v, %v, want %v", name, got, err, ErrSignature)
		}
	}
	if _, err := newClient(t, "").DepositCallback([]byte(body)); !errors.Is(err, ErrSignature) {
		t.Errorf("another account's: got %v, want %v", err, ErrSignature)
	}
}

// TestWhatIsNotSignedIsNotBelieved: lists and objects travel unsigned, so whoever
// saw a callback can change them.
func TestWhatIsNotSignedIsNotBelieved(t *testing.T) {
	c := callbackClient(t)
	body := sample(t, "result_url_success.json")
	want, err := c.DepositCallback([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, changed := range map[string]string{
		"amounts":                       strings.Replace(body, `"usd": "7.680"`, `"usd": "99999"`, 1),
		"items":                         strings.Replace(body, `"price": "7.68"`, `"price": "768"`, 1),
		"a list by another case":        strings.Replace(body, `"status"`, `"STATUS":[],"Amount":{},"status"`, 1),
		"a list of the same name":       strings.Replace(body, `"sign"`, `"amount":[],"sign"`, 1),
		"an object with names of ours":  strings.Replace(body, `"status"`, `"x":{"status":"fail"},"status"`, 1),
		"a form's parameter by bracket": asForm(t, body) + "&status%5B0%5D=fail&amount%5B%5D=1",
	} {
		got, err := c.DepositCallback([]byte(changed))
		if d := diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
		}
	}
	for in, want := range map[string]UserRisk{
		`{"total_deposits_count":"many","total_deposits_sum":-1,"joined_at":[],"user_inventory":{"cs2":5,"rust":{"sum":[]}}}`: {InventoryDollars: map[string]pricing.Money{"rust": 0}},
		`{"user_inventory":{"a":{"b":{"c":{"d":1}}}}}`:                            {},
		`{"total_rollback_deposits_count":2,"total_rollback_deposits_sum":"1.5"}`: {RolledBack: 2, RolledBackSum: 1_500_000},
	} {
		got, err := c.DepositCallback([]byte(`{"status":"in_hold","user_risk":` + in + `,"sign":"` + signText(vectorSecret, "status:in_hold;") + `"}`))
		if err != nil || (got.Risk == nil) != (in == `{"user_inventory":{"a":{"b":{"c":{"d":1}}}}}`) || got.Risk != nil && diff(want, *got.Risk) != "" {
			t.Errorf("%s: got %+v, %v, want %+v", in, got.Risk, err, want)
		}
	}
}

// TestScalarsAsPHPSignsThem: numbers as they stand, true as 1, and null as an empty
// text or not at all.
func TestScalarsAsPHPSignsThem(t *testing.T) {
	c := callbackClient(t)
	for body, text := range map[string]string{
		`"order_id":"dep-77","transaction_id":116749001,"amount":7.680`: "amount:7.680;order_id:dep-77;transaction_id:116749001;",
		`"order_id":"dep-77","approved":true,"limited":false`:           "approved:1;limited:;order_id:dep-77;",
		`"order_id":"dep-77","amount":null`:                             "amount:;order_id:dep-77;",
		`"order_id":"dep-77","amount":null,"b":null`:                    "order_id:dep-77;",
		`"order_id":"dep-77","amount":""`:                               "amount:;order_id:dep-77;",
		`"order_id":"dep-77","note":"★ a:b \u00e9"`:                     "note:★ a:b é;order_id:dep-77;",
		`"b":"","order_id":"dep-77","B":"","a_1":""`:                    "B:;a_1:;b:;order_id:dep-77;",
	} {
		got, err := c.DepositCallback([]byte(`{` + body + `,"sign":"` + strings.ToUpper(signText(vectorSecret, text)) + `"}`))
		if err != nil || got.OrderID != "dep-77" {
			t.Errorf("%s: got %+v, %v", body, got, err)
		}
	}
	// An empty text is not left out as a null is.
	if _, err := c.DepositCallback([]byte(`{"order_id":"a","b":"","sign":"` + signText(vectorSecret, "order_id:a;") + `"}`)); err == nil {
		t.Error("an empty text that is not signed: got no error")
	}
}

// TestASignatureFitsOneReading: two callbacks under one signature say the same.
func TestASignatureFitsOneReading(t *testing.T) {
	c := callbackClient(t)
	letters := rapid.StringOf(rapid.SampledFrom([]rune("ab:;1=&[")))
	rapid.Check(t, func(t *rapid.T) {
		of := func(label string) map[string]string {
			return rapid.MapOfN(letters, letters, 0, 3).Draw(t, label)
		}
		signed, sent := of("signed"), of("sent")
		delete(signed, "sign")
		sign := params{}
		for k, v := range signed {
			sign[k] = v
		}
		form := url.Values{"sign": {sign.signature(vectorSecret)}}
		for k, v := range sent {
			form.Set(k, v)
		}
		if _, err := c.DepositCallback([]byte(form.Encode())); err != nil {
			return
		}
		for k, v := range sent {
			if !strings.Contains(k, "[") && signed[k] != v {
				t.Errorf("signed %q, and %q was taken", signed, sent)
			}
		}
		for k, v := range signed {
			if got, ok := sent[k]; !ok || got != v {
				t.Errorf("signed %q, and %q was taken", signed, sent)
			}
		}
	})
}

// FuzzCallback: whatever is taken carries the right signature, and nothing makes
// reading it fail in another way than that.
func FuzzCallback(f *testing.F) {
	for _, name := range samples(f, "result_url_*.json") {
		f.Add([]byte(sample(f, name)))
	}
	for _, s := range []string{`{"sign":null}`, `{"a":{"b":{}},"sign":"x"}`, `status=success&sign=00&user_risk%5Ba%5D=1`, `{"a":1,"a":1}`, "\xff", `{"":""}`, `a;b`} {
		f.Add([]byte(s))
	}
	c, err := New(Config{ClientID: testID, ClientSecret: vectorSecret})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := c.DepositCallback(in)
		if err != nil {
			if !errors.Is(err, ErrSignature) || diff(Callback{}, got) != "" {
				t.Errorf("%q: got %+v, %v", in, got, err)
			}
			return
		}
		p, err := readCallback(in)
		if err != nil {
			t.Fatalf("%q was taken and cannot be read: %v", in, err)
		}
		with, without := params{}, params{}
		for k, v := range p.scalars {
			if with[k] = v; !p.nulls[k] {
				without[k] = v
			}
		}
		if s := strings.ToLower(p.scalars["sign"]); s != with.signature(vectorSecret) && s != without.signature(vectorSecret) {
			t.Errorf("%q was taken with the signature %q", in, s)
		}
	})
}
