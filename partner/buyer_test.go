package partner_test

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"skinarb/partner"
)

func TestParseBuyer(t *testing.T) {
	for _, tt := range []struct {
		steamID, token, partner string // no partner: refused
	}{
		{"76561198000000000", "SSH18JS", "39734272"},
		{"76561198000000000", "AbC_-f12", "39734272"},
		{"76561197960265729", "AbCdEf12", "1"},
		{"76561202255233023", "AbCdEf12", "4294967295"},
		{"76561198000000000", "x", "39734272"},
		{"76561198000000000", "0123456789abcdef", "39734272"},

		{"76561197960265728", "AbCdEf12", ""},  // nobody
		{"76561202255233024", "AbCdEf12", ""},  // no account number
		{"103582791429521408", "AbCdEf12", ""}, // a group
		{"", "AbCdEf12", ""},
		{"123", "AbCdEf12", ""},
		{"39734272", "AbCdEf12", ""},
		{"076561198000000000", "AbCdEf12", ""},
		{"+7656119800000000", "AbCdEf12", ""},
		{" 76561198000000000", "AbCdEf12", ""},
		{"7656119800000000x", "AbCdEf12", ""},
		{"7.656119800000000e16", "AbCdEf12", ""},
		{"７6561198000000", "AbCdEf12", ""},
		{"99999999999999999999999999", "AbCdEf12", ""},
		{"76561198000000000", "", ""},
		{"76561198000000000", "0123456789abcdefg", ""},
		{"76561198000000000", "AbCdEf1 ", ""},
		{"76561198000000000", "AbCdEf1&", ""},
		{"76561198000000000", "AbCdEfé", ""},
		{"76561198000000000", "AbC\x00Ef12", ""},
	} {
		b, err := partner.ParseBuyer(tt.steamID, tt.token)
		if (err == nil) != (tt.partner != "") || b.Partner() != tt.partner {
			t.Errorf("%q with token %q: got partner %q, error %v, want %q", tt.steamID, tt.token, b.Partner(), err, tt.partner)
		}
		if err != nil && (b != partner.Buyer{} || len(tt.token) > 3 && strings.Contains(err.Error(), tt.token)) {
			t.Errorf("%q with token %q: got %+v and %q, want no buyer, and no token in the error", tt.steamID, tt.token, b, err)
		}
		if err == nil && (b.SteamID != tt.steamID || b.Token != tt.token) {
			t.Errorf("%q with token %q: got %q and %q, want them as they were", tt.steamID, tt.token, b.SteamID, b.Token)
		}
	}
}

func TestPartnerOfEveryAccount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64Range(1, 1<<32-1).Draw(t, "account")
		b, err := partner.ParseBuyer(strconv.FormatUint(76561197960265728+n, 10), "AbCdEf12")
		if err != nil || b.Partner() != strconv.FormatUint(n, 10) {
			t.Errorf("account %d: got partner %q, error %v", n, b.Partner(), err)
		}
	})
}

// TestTokenStaysInside prints purchases in every way that a log might.
func TestTokenStaysInside(t *testing.T) {
	p := partner.Purchase{Buyer: partner.Buyer{SteamID: "76561198000000000", Token: "SECRET"}}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "buyer", p.Buyer, "purchase", p)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "buyer", p.Buyer, "purchase", p)
	for _, text := range []string{fmt.Sprint(p), fmt.Sprintf("%+v %#v %s", p, p, p.Buyer), fmt.Sprintf("%v %+v", []partner.Buyer{p.Buyer}, &p), log.String()} {
		if strings.Contains(text, "SECRET") || !strings.Contains(text, "76561198000000000") {
			t.Errorf("got %q, want the account and not its token", text)
		}
	}
}
