package skinsback

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"skinarb/pricing"
)

func TestTextTakesWhatPHPWrites(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want text
		bad  bool
	}{
		{`"77.02"`, "77.02", false},
		{`77.02`, "77.02", false},
		{`10.50`, "10.50", false},
		{`null`, "", false},
		{`""`, "", false},
		{`true`, "true", false},
		{`"\u2605"`, "★", false},
		{`[]`, "", false},
		{`{ }`, "", false},
		{`[1]`, "", true},
		{`{"a":1}`, "", true},
	} {
		var got text
		err := json.Unmarshal([]byte(tc.in), &got)
		if got != tc.want || (err != nil) != tc.bad {
			t.Errorf("%s: got %q, %v, want %q, error %v", tc.in, got, err, tc.want, tc.bad)
		}
	}
}

func TestListAndObjectTakeWhatPHPWrites(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want []text
		bad  bool
	}{
		{`[1,"2",null]`, []text{"1", "2", ""}, false},
		{`[]`, []text{}, false},
		{`{}`, nil, false},
		{`{"3":"a","7":"b"}`, []text{"a", "b"}, false},
		{`{"a":"b"}`, nil, true},
		{`{"-1":"b"}`, nil, true},
		{`""`, nil, true},
		{`"x"`, nil, true},
		{`5`, nil, true},
		{`{"0":[1]}`, nil, true},
	} {
		var got list[text]
		err := json.Unmarshal([]byte(tc.in), &got)
		if (err != nil) != tc.bad || err == nil && !cmp.Equal([]text(got), tc.want) {
			t.Errorf("list %s: got %q, %v, want %q, error %v", tc.in, got, err, tc.want, tc.bad)
		}
	}
	for _, tc := range []struct {
		in   string
		told bool
		bad  bool
	}{
		{`{"usd":"1"}`, true, false},
		{`[]`, false, false},
		{`{}`, false, false},
		{`null`, false, false},
		{`""`, false, false},
		{`[1]`, false, true},
		{`7`, false, true},
	} {
		var got object[map[string]text]
		err := json.Unmarshal([]byte(tc.in), &got)
		if (err != nil) != tc.bad || got.Told != tc.told {
			t.Errorf("object %s: got told %v, %v, want %v, error %v", tc.in, got.Told, err, tc.told, tc.bad)
		}
	}
}

func TestTextAsOtherThings(t *testing.T) {
	for in, want := range map[text]pricing.Money{
		"12.45": 12_450_000, "0.285": 285_000, "901": 901_000_000, "1e1": 10_000_000,
		"": 0, "-3": 0, "n/a": 0, "12,45": 0, "1e99": 0,
	} {
		if got := in.amount(); got != want {
			t.Errorf("amount of %q: got %d, want %d", in, got, want)
		}
	}
	for in, want := range map[text]time.Time{
		"1760000000": time.Unix(1_760_000_000, 0).UTC(),
		"":           {}, "0": {}, "-5": {}, "2026-11-22": {}, "99999999999999999999": {}, "9999999999999": {},
	} {
		if got := in.unix(); !got.Equal(want) {
			t.Errorf("time of %q: got %s, want %s", in, got, want)
		}
	}
	for in, want := range map[text]bool{"true": true, "1": true, "false": false, "0": false, "": false} {
		if got, err := in.flag(); got != want || err != nil {
			t.Errorf("flag %q: got %v, %v, want %v", in, got, err, want)
		}
	}
	if _, err := text("yes").flag(); err == nil {
		t.Error(`flag "yes": got no error`)
	}
}

func TestEnvelope(t *testing.T) {
	for _, tc := range []struct {
		in   string
		code int    // of the APIError
		text string // of the APIError; empty for any other error
		ok   bool
	}{
		{`{"status":"success"}`, 0, "", true},
		{`{"status":"success","error_code":null,"error_message":""}`, 0, "", true},
		{`{"status":"success","error_code":0}`, 0, "", true},
		{`{"status":"error","error_code":-7,"error_message":"request_limit_reached"}`, -7, "request_limit_reached", false},
		{`{"status":"error","error_code":"4","error_message":"insufficient_funds"}`, 4, "insufficient_funds", false},
		{`{"status":"fail","error_code":5,"error_message":"skin_unavailable"}`, 5, "skin_unavailable", false},
		{`{"error_code":5,"error_message":"skin_unavailable"}`, 5, "skin_unavailable", false},
		{`{"status":"success","error_code":5}`, 0, "", false},
		{`{"status":"pending"}`, 0, "", false},
		{`{}`, 0, "", false},
		{`[]`, 0, "", false},
		{`null`, 0, "", false},
		{`{"status":"success"} x`, 0, "", false},
		{`{"status":"succ`, 0, "", false},
		{``, 0, "", false},
		{`<html>`, 0, "", false},
	} {
		err := decode("market_buy", []byte(tc.in), &struct{}{})
		api, isAPI := err.(*APIError)
		switch {
		case (err == nil) != tc.ok:
			t.Errorf("%s: got %v, want success %v", tc.in, err, tc.ok)
		case tc.text != "" && (!isAPI || api.Code != tc.code || api.Message != tc.text):
			t.Errorf("%s: got %v, want error %d %s", tc.in, err, tc.code, tc.text)
		case tc.text == "" && isAPI:
			t.Errorf("%s: got %v, want no error of the API", tc.in, err)
		}
	}
}
