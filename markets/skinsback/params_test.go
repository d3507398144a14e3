package skinsback

import "testing"

const testID = "11111111-2222-4333-8444-555555555555"

func TestSignature(t *testing.T) {
	for _, tc := range []struct {
		name   string
		secret string
		params params
		want   string
	}{
		{"the documentation's own", "123", params{"method": "orderstatus", "order_id": "1", "shopid": "123"}, "abee99d476c736102c3d6062807761b6e4d31dd8"},
		{"no parameters", "test-secret", params{"method": "balance", "shopid": testID}, "3f54381e34e45fdfceb8b5c369da4cea7fb594e7"},
		{"one parameter", "test-secret", params{"game": "cs2", "method": "market_pricelist", "shopid": testID}, "431d6a2df8db64da5bcb804c7373809df063ad91"},
		{"UTF-8", "test-secret", params{
			"custom_id": "ord-0001", "game": "cs2", "max_price": "512.34", "method": "market_buy",
			"name": "★ StatTrak™ Bowie Knife | Doppler Phase 2 (Factory New)", "partner": "100000001", "shopid": testID, "token": "AbCdEf12",
		}, "2e9caccf2949006bf299424e1ca2ecd2959b15c5"},
		{"a list is not signed", "test-secret", params{"custom_ids": []string{"ord-0001", "ord-0002"}, "method": "market_getinfo", "shopid": testID}, "03d08ae77135965f67ae0a4a5e4a2e21445812ca"},
		{"a list of objects is not signed", "test-secret", params{
			"items": []map[string]string{{"id": "1"}}, "method": "market_batch_buy", "partner": "100000001", "shopid": testID, "token": "AbCdEf12",
		}, "787377a73b1e223d14a728b850345ff17564d45b"},
		{"flags as 1", "test-secret", params{"extended": "1", "full": "1", "game": "cs2", "method": "market_pricelist", "shopid": testID}, "10e2ce80d7e8ddf23bae21b62f254b9d1518a0a6"},
		{"flags as true", "test-secret", params{"extended": "true", "full": "true", "game": "cs2", "method": "market_pricelist", "shopid": testID}, "a31c965159ba20c4de6edb36a87541b7379f2e54"},
		{"a price with two decimals", "s", params{"id": "5", "max_price": "10.50", "method": "market_buy", "partner": "1", "shopid": "1", "token": "t"}, "c65052e3f4c76ead4fe59f8e8c86816486f8dd36"},
		{"a price with one", "s", params{"id": "5", "max_price": "10.5", "method": "market_buy", "partner": "1", "shopid": "1", "token": "t"}, "889d5c4993a5ee062d18bdc4ee9155bb5522510b"},
		{"sign itself is left out", "test-secret", params{"method": "balance", "shopid": testID, "sign": "anything"}, "3f54381e34e45fdfceb8b5c369da4cea7fb594e7"},
	} {
		if got := tc.params.signature(tc.secret); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestSignedLeavesTheOriginal(t *testing.T) {
	p := params{"method": "balance"}
	s := p.signed(testID, "test-secret")
	if s["shopid"] != testID || s["sign"] != "3f54381e34e45fdfceb8b5c369da4cea7fb594e7" {
		t.Errorf("got %v", s)
	}
	if len(p) != 1 {
		t.Errorf("signed changed its receiver: %v", p)
	}
}

func TestEncodings(t *testing.T) {
	p := params{"name": "★ R&D <1> | a/b", "max_price": "10.50", "custom_ids": []string{"a", "b&c"}}
	got, err := p.json()
	if want := `{"custom_ids":["a","b&c"],"max_price":"10.50","name":"★ R&D <1> | a/b"}`; err != nil || string(got) != want {
		t.Errorf("JSON: got %s, %v, want %s", got, err, want)
	}
	if got, want := string(p.form()), "custom_ids%5B0%5D=a&custom_ids%5B1%5D=b%26c&max_price=10.50&name=%E2%98%85+R%26D+%3C1%3E+%7C+a%2Fb"; got != want {
		t.Errorf("form: got %s, want %s", got, want)
	}
}
