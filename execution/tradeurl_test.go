package execution_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"skinarb/execution"
)

func TestParseTradeURL(t *testing.T) {
	got, err := execution.ParseTradeURL("https://steamcommunity.com/tradeoffer/new/?partner=100000001&token=AbC-_f12")
	want := execution.Recipient{Partner: "100000001", SteamID: "76561198060265729", Token: "AbC-_f12"}
	if err != nil || got != want {
		t.Errorf("got %#v, error %v, want account 100000001", got, err)
	}
	asJSON, err := json.Marshal(execution.Buyer{Ref: "fast-1", To: got})
	if err != nil || string(asJSON) != `{"Ref":"fast-1","To":"partner 100000001"}` {
		t.Errorf("as JSON: got %s, error %v, want the account alone", asJSON, err)
	}
	for _, text := range []string{fmt.Sprint(got), fmt.Sprintf("%+v", got), fmt.Sprintf("%#v", got), slog.AnyValue(got).Resolve().String()} {
		if strings.Contains(text, got.Token) {
			t.Errorf("%q shows the token", text)
		}
	}
}

func TestParseTradeURLRefuses(t *testing.T) {
	const good = "https://steamcommunity.com/tradeoffer/new/?partner=1&token=AbCdEf12"
	if _, err := execution.ParseTradeURL(good); err != nil {
		t.Fatal(err)
	}
	for _, edit := range [][2]string{
		{"https", "http"}, {"steamcommunity.com", "steamcommunity.com.evil.example"}, {"steamcommunity.com", "u@steamcommunity.com"},
		{"/new/", "/old/"}, {"partner=1", "partner=0"}, {"partner=1", "partner=-1"}, {"partner=1", "partner=01"}, {"partner=1", "partner=4294967296"},
		{"partner=1", "partner=1&partner=2"}, {"partner=1&", ""}, {"AbCdEf12", "AbCdEf1"}, {"AbCdEf12", "AbCdEf123"}, {"AbCdEf12", "AbCdEf1%20"},
		{"AbCdEf12", "AbCdEf12&x=1"}, {"AbCdEf12", "AbCdEf12#x"}, {"AbCdEf12", "AbCdEf1★"}, {"https:", "\x7f:"}, {good, ""},
	} {
		s := strings.Replace(good, edit[0], edit[1], 1)
		_, err := execution.ParseTradeURL(s)
		if err == nil {
			t.Errorf("%q: no error", s)
		} else if strings.Contains(err.Error(), "AbCdEf1") {
			t.Errorf("%q: the error shows the token: %v", s, err)
		}
	}
}

func FuzzParseTradeURL(f *testing.F) {
	for _, s := range []string{"", "https://steamcommunity.com/tradeoffer/new/?partner=1&token=AbCdEf12", "https://steamcommunity.com/tradeoffer/new?token=%41bCdEf12&partner=4294967295", ":", "?partner=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := execution.ParseTradeURL(s)
		if err != nil {
			if r != (execution.Recipient{}) {
				t.Errorf("%q: got %#v beside an error", s, r)
			}
			return
		}
		again, err := execution.ParseTradeURL("https://steamcommunity.com/tradeoffer/new/?partner=" + r.Partner + "&token=" + r.Token)
		if err != nil || again != r {
			t.Errorf("%q: read back as %#v, error %v, want %#v", s, again, err, r)
		}
	})
}
