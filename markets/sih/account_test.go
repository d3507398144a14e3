package sih

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"skinarb/execution"
)

func TestAddAccount(t *testing.T) {
	var sent []byte
	c := served(t, func(w http.ResponseWriter, r *http.Request) {
		sent, _ = io.ReadAll(r.Body)
		io.WriteString(w, sample(t, "user-add.ok.json"))
	})
	got, err := c.AddAccount(t.Context(), testSteam, testToken)
	if want := (Account{testSteam, Permission{OK: true}, Permission{OK: true}}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	var gotSent, wantSent map[string]any
	if err := errors.Join(json.Unmarshal(sent, &gotSent), json.Unmarshal([]byte(sample(t, "user-add.request.json")), &wantSent)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantSent, gotSent); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}

	// 400 is a refusal although it says success, and tells why.
	got, err = answering(t, 400, sample(t, "user-add.error.json")).AddAccount(t.Context(), testSteam, testToken)
	want := Account{testSteam, Permission{Reason: "steam trade ban"}, Permission{Reason: "user offline"}}
	if outcome(err) != "rejected: steam_trade_ban" || got != want {
		t.Errorf("refused: got %+v, %v, want %+v and steam_trade_ban", got, err, want)
	}
	for name, tc := range map[string]struct {
		status     int
		body, want string
	}{
		"refused for P2P":        {400, `{"success":true,"data":{"steamId":"` + testSteam + `","canTrade":{"success":true},"canP2P":{"success":false,"error":"user offline"}}}`, "rejected: refused"},
		"refused, nothing wrong": {400, sample(t, "user-add.ok.json"), "unknown"},
		"refused, no words":      {400, `{"success":true,"data":{"steamId":"` + testSteam + `"}}`, "unknown"},
		"refused, no account":    {400, `{"success":true,"data":{}}`, "unknown"},
		"no account":             {200, `{"success":true}`, "unknown"},
		"another account":        {200, strings.ReplaceAll(sample(t, "user-add.ok.json"), testSteam, "76561198000000001"), "unknown"},
	} {
		if _, err := answering(t, tc.status, tc.body).AddAccount(t.Context(), testSteam, testToken); outcome(err) != tc.want {
			t.Errorf("%s: got %v, want %s", name, err, tc.want)
		}
	}
}

func TestAccount(t *testing.T) {
	for _, tc := range []struct {
		status int
		body   string
		want   Account // zero: an error
	}{
		{200, sample(t, "user-get.ok.json"), Account{testSteam, Permission{OK: true}, Permission{Reason: "user offline"}}},
		{200, `{"success":true,"data":{"steamId":` + testSteam + `,"canTrade":{"success":"true"},"canP2P":{"success":"boolean","error":"string"}}}`, Account{testSteam, Permission{OK: true}, Permission{Reason: "string"}}},
		{200, `{"success":true,"data":{"steamId":"` + testSteam + `","canTrade":true,"canP2P":{"success":1,"error":{}}}}`, Account{SteamID: testSteam}},
		{400, sample(t, "user-get.error.json"), Account{}},
		{200, `{"success":true,"data":null}`, Account{}},
		{200, `{"success":true,"data":[]}`, Account{}},
		{200, `{"success":true,"data":{"steamId":"x"}}`, Account{}},
		{200, `{"success":true,"data":{"steamId":"76561198000000001"}}`, Account{}},
	} {
		got, err := answering(t, tc.status, tc.body).Account(t.Context(), testSteam)
		if got != tc.want && err == nil || (err == nil) != (tc.want != Account{}) {
			t.Errorf("%d %s: got %+v, %v, want %+v", tc.status, tc.body, got, err, tc.want)
		}
	}
	if _, err := decoding(t).Account(t.Context(), "../users"); err == nil {
		t.Error("a path instead of an account: got no error")
	}
}

// TestAccountsArePaged reads both lists, whose totals say that there is more
// than the samples have, to an empty page.
func TestAccountsArePaged(t *testing.T) {
	var asked []string
	c := served(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
		q := r.URL.Query()
		if q.Get("offset") != "0" {
			io.WriteString(w, `{"success":true,"data":[],"pagination":{"limit":1,"offset":1,"total":234,"hasMore":false}}`)
			return
		}
		io.WriteString(w, sample(t, "users-list.check-"+q.Get("check")+".ok.json"))
	})
	accounts, err := c.Accounts(t.Context())
	if want := []Account{{testSteam, Permission{OK: true}, Permission{OK: true}}}; err != nil || !cmp.Equal(accounts, want) {
		t.Errorf("got %+v, %v, want %+v", accounts, err, want)
	}
	states, err := c.AccountStates(t.Context())
	if want := []AccountState{{testSteam, true}}; err != nil || !cmp.Equal(states, want) {
		t.Errorf("got %+v, %v, want %+v", states, err, want)
	}
	if diff := cmp.Diff([]string{
		"/project/users?check=true&limit=100&offset=0", "/project/users?check=true&limit=100&offset=1",
		"/project/users?check=false&limit=1000&offset=0", "/project/users?check=false&limit=1000&offset=1",
	}, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	for status, body := range map[int]string{
		400: sample(t, "users-list.limit.error.json"),
		200: `{"success":true,"data":[{"online":true}]}`,
		500: `{"success":true,"data":[]}`,
	} {
		c := answering(t, status, body)
		if got, err := c.Accounts(t.Context()); err == nil {
			t.Errorf("%d %s: got %+v and no error", status, body, got)
		}
		if got, err := c.AccountStates(t.Context()); err == nil {
			t.Errorf("%d %s: got %+v and no error", status, body, got)
		}
	}
}

func TestSetAccountsOnline(t *testing.T) {
	var asked, sent string
	c := served(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked, sent = r.Method+" "+r.URL.Path, string(body)
		_, online, _ := strings.Cut(asked, "/online/")
		io.WriteString(w, strings.Replace(sample(t, "users-online.ok.json"), `"online": true`, `"online": `+online, 1))
	})
	for _, online := range []bool{true, false} {
		if err := c.SetAccountsOnline(t.Context(), []string{testSteam, "76561198000000001"}, online); err != nil {
			t.Errorf("several, %t: %v", online, err)
		}
		var got, want any
		if err := errors.Join(json.Unmarshal([]byte(sent), &got), json.Unmarshal([]byte(sample(t, "users-online.request.json")), &want)); err != nil || !cmp.Equal(got, want) {
			t.Errorf("sent %s, %v, want %v", sent, err, want)
		}
		if err := c.SetAccountOnline(t.Context(), testSteam, online); err != nil {
			t.Errorf("one, %t: %v", online, err)
		}
	}
	// A state that is not the one asked for, or none, is no success.
	for body, want := range map[string]string{
		sample(t, "user-online.ok.json"):             "unknown",
		`{"success":true}`:                           "unknown",
		`{"success":true,"data":{"online":null}}`:    "unknown",
		`{"success":true,"data":[]}`:                 "unknown",
		`{"success":true,"data":{"online":"FALSE"}}`: "bought",
	} {
		if err := answering(t, 200, body).SetAccountOnline(t.Context(), testSteam, false); outcome(err) != want {
			t.Errorf("off, %s: got %v, want %s", body, err, want)
		}
	}
	for _, file := range []string{"user-online.error.json", "users-online.error.json"} {
		if err := answering(t, 400, sample(t, file)).SetAccountOnline(t.Context(), testSteam, true); outcome(err) != "unknown" {
			t.Errorf("%s: got %v, want an unknown outcome", file, err)
		}
	}
}

func TestIsSteamID(t *testing.T) {
	for id, want := range map[string]bool{
		"76561197960265729": true, testSteam: true, "76561202255233023": true,
		"76561197960265728": false, "76561202255233024": false, "+6561198000000000": false, "076561198000000000": false,
		" 76561198000000000": false, "STEAM_0:1:1": false, "1": false, "": false,
	} {
		if got := isSteamID(id); got != want {
			t.Errorf("%q: got %t, want %t", id, got, want)
		}
	}
}

func FuzzAccounts(f *testing.F) {
	samples(f, "user*.json")
	c := decoding(f)
	f.Fuzz(func(t *testing.T, body string) {
		if a, err := c.decodeAccount(received(t, c, 200, strings.NewReader(body))); err == nil && !isSteamID(a.SteamID) {
			t.Fatalf("got %+v", a)
		}
		p, err := decodeAccounts(c, received(t, c, 200, strings.NewReader(body)), func(w wireListed) (Account, error) { return c.account(w.wireAccount) })
		for _, a := range p.rows {
			if err != nil || !isSteamID(a.SteamID) {
				t.Fatalf("got %+v, %v", a, err)
			}
		}
		for _, status := range []int{200, 400} {
			a, err := c.decodeAdded(received(t, c, status, strings.NewReader(body)), testSteam)
			var rejected *execution.RejectedError
			if err == nil && (status != 200 || a.SteamID != testSteam) || errors.As(err, &rejected) && status != 400 {
				t.Fatalf("status %d: got %+v, %v", status, a, err)
			}
		}
		for _, want := range []bool{true, false} {
			if err := c.decodeOnline(received(t, c, 200, strings.NewReader(body)), want); err == nil && !strings.Contains(strings.ToLower(body), strconv.FormatBool(want)) {
				t.Fatalf("switched to %t by what does not say so", want)
			}
		}
	})
}
