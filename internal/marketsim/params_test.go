package marketsim

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// Signatures worked out independently of this code.
func TestSignature(t *testing.T) {
	const shop = "11111111-2222-4333-8444-555555555555"
	for _, c := range []struct{ name, secret, body, want string }{
		{"V1", "123", `{"shopid":"123","order_id":"1","method":"orderstatus"}`, "abee99d476c736102c3d6062807761b6e4d31dd8"},
		{"V2", "test-secret", `{"method":"balance","shopid":"` + shop + `"}`, "3f54381e34e45fdfceb8b5c369da4cea7fb594e7"},
		{"V3", "test-secret", `{"method":"market_pricelist","game":"cs2","shopid":"` + shop + `","sign":"ignored"}`, "431d6a2df8db64da5bcb804c7373809df063ad91"},
		{"V4", "test-secret", `{"custom_id":"ord-0001","game":"cs2","max_price":"512.34","method":"market_buy","name":"★ StatTrak™ Bowie Knife | Doppler Phase 2 (Factory New)","partner":"100000001","shopid":"` + shop + `","token":"AbCdEf12"}`, "2e9caccf2949006bf299424e1ca2ecd2959b15c5"},
		{"V5", "test-secret", `{"custom_ids":["ord-0001","ord-0002"],"method":"market_getinfo","shopid":"` + shop + `"}`, "03d08ae77135965f67ae0a4a5e4a2e21445812ca"},
		{"V6", "test-secret", `{"items":[{"id":"1"}],"method":"market_batch_buy","partner":"100000001","shopid":"` + shop + `","token":"AbCdEf12"}`, "787377a73b1e223d14a728b850345ff17564d45b"},
		{"V7a", "test-secret", `{"extended":1,"full":"1","game":"cs2","method":"market_pricelist","shopid":"` + shop + `"}`, "10e2ce80d7e8ddf23bae21b62f254b9d1518a0a6"},
		{"V7a, PHP's true", "test-secret", `{"extended":true,"full":true,"game":"cs2","method":"market_pricelist","shopid":"` + shop + `"}`, "10e2ce80d7e8ddf23bae21b62f254b9d1518a0a6"},
		{"V8a", "s", `{"id":"5","max_price":"10.50","method":"market_buy","partner":"1","shopid":"1","token":"t"}`, "c65052e3f4c76ead4fe59f8e8c86816486f8dd36"},
		{"V8b, PHP's 10.50", "s", `{"id":5,"max_price":10.50,"method":"market_buy","partner":1,"shopid":1,"token":"t"}`, "889d5c4993a5ee062d18bdc4ee9155bb5522510b"},
	} {
		if got := parseParams("application/json", []byte(c.body)).signature(c.secret); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	form := "custom_ids%5B%5D=a&custom_ids%5B%5D=b&method=market_getinfo&shopid=" + shop
	if got, want := parseParams("application/x-www-form-urlencoded", []byte(form)).signature("test-secret"), "03d08ae77135965f67ae0a4a5e4a2e21445812ca"; got != want {
		t.Errorf("form: got %s, want %s", got, want)
	}
}

func TestParseForm(t *testing.T) {
	p := parseForm("a=1+2&items%5B0%5D%5Bid%5D=7&items[0][max_price]=1.5&items[1][id]=8&names[]=x&names[]=y&bad=%zz&=q")
	want := params{
		"a": "1 2",
		"items": map[string]any{
			"0": map[string]any{"id": "7", "max_price": "1.5"},
			"1": map[string]any{"id": "8"},
		},
		"names": map[string]any{"0": "x", "1": "y"},
	}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got %v, want %v", p, want)
	}
	if names, ok := p.texts("names"); !ok || strings.Join(names, "") != "xy" {
		t.Errorf("names: got %v, %t", names, ok)
	}
	// Empty brackets make a new element per field, as PHP does.
	p = parseForm("items[][id]=7&items[][max_price]=1.5")
	if items, _ := p.elements("items"); len(items) != 2 {
		t.Errorf("got %v, want two elements", items)
	}
}

func TestSkinsBackAuthentication(t *testing.T) {
	r := start(t, Config{ClientSecret: "test-secret"})
	for _, c := range []struct {
		name, id, secret, body string
		code                   int
		text                   string
	}{
		{"headers", DemoClientID, "test-secret", `{"method":"status"}`, 0, ""},
		{"wrong id", "someone", "test-secret", `{"method":"status"}`, -2, "invalid_shopid"},
		{"wrong secret", DemoClientID, "guess", `{"method":"status"}`, -3, "invalid_signature"},
		{"no secret", DemoClientID, "", `{"method":"status"}`, -3, "invalid_signature"},
		{"nothing", "", "", `{"method":"status"}`, -2, "invalid_shopid"},
		{"signature", "", "", `{"method":"balance","shopid":"` + DemoClientID + `","sign":"3f54381e34e45fdfceb8b5c369da4cea7fb594e7"}`, 0, ""},
		{"signature of something else", "", "", `{"method":"status","shopid":"` + DemoClientID + `","sign":"3f54381e34e45fdfceb8b5c369da4cea7fb594e7"}`, -3, "invalid_signature"},
		{"signed form", "", "", `method=balance&shopid=` + DemoClientID + `&sign=3f54381e34e45fdfceb8b5c369da4cea7fb594e7`, 0, ""},
	} {
		req, _ := http.NewRequest(http.MethodPost, r.server.SkinsBackURL, strings.NewReader(c.body))
		if c.id+c.secret != "" {
			req.Header.Set("X-CLIENT-ID", c.id)
			req.Header.Set("X-CLIENT-SECRET", c.secret)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Code int    `json:"error_code"`
			Text string `json:"error_message"`
		}
		err = json.NewDecoder(resp.Body).Decode(&got)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || got.Code != c.code || got.Text != c.text {
			t.Errorf("%s: got status %d, %+v, %v, want %d %q", c.name, resp.StatusCode, got, err, c.code, c.text)
		}
	}
}
