package skinsback

import "testing"

func TestCurrencies(t *testing.T) {
	got, err := answering(t, 200, sample(t, "currencies.json")).GetCurrencies(t.Context())
	if err != nil || len(got) != 10 {
		t.Fatalf("got %d, %v, want 10", len(got), err)
	}
	if d := diff(Currency{"usd", "US Dollar", dec("1")}, got[0]); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if d := diff(Currency{"rub", "Russian Ruble", dec("81.25")}, got[1]); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for body, want := range map[string]string{ // the rate of eur, or nothing for an error
		`[{"code":"USD","rate":2},{"code":"EUR","rate":"5"}]`:                            "2.5",
		`[{"code":"eur","rate":"0.86"},{"code":"usd","rate":"1"}]`:                       "0.86",
		`{"4":{"code":"eur","rate":"0.86"},"7":{"code":"usd","rate":1.0}}`:               "0.86",
		`[{"code":"eur","rate":"1"},{"code":"usd","rate":"80"},{"rate":1},{"code":"x"}]`: "0.0125",
		`[{"code":"eur","rate":"0.86"}]`:                                                 "",
		`[{"code":"eur","rate":"0.86"},{"code":"usd","rate":"0"}]`:                       "",
		`[{"code":"eur","rate":"0.86"},{"code":"usd","rate":"-1"}]`:                      "",
		`[]`:   "",
		`null`: "",
		`"x"`:  "",
	} {
		got, err := answering(t, 200, `{"status":"success","items":`+body+`}`).GetCurrencies(t.Context())
		rate := ""
		for _, c := range got {
			if c.Code == "eur" {
				rate = c.Rate.String()
			}
		}
		if rate != want || (err != nil) != (want == "") {
			t.Errorf("%s: got %+v, %v, want eur at %q", body, got, err, want)
		}
	}
}
