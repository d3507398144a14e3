package execution

import (
	"errors"
	"log/slog"
	"net/url"
	"strconv"
)

// Recipient is the Steam account that receives purchases. The token is a secret:
// whoever has it can send that account trade offers. Neither fmt nor slog nor JSON
// shows it.
type Recipient struct {
	Partner string // account number
	SteamID string // SteamID64 of the same account
	Token   string
}

// String gives the account without the token.
func (r Recipient) String() string { return "partner " + r.Partner }

// GoString gives what String does, for %#v.
func (r Recipient) GoString() string { return r.String() }

// LogValue gives what String does, for slog.
func (r Recipient) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalText gives what String does, for JSON and what is logged as JSON.
func (r Recipient) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// steamID64Base is the SteamID64 of account number 0 of an individual.
const steamID64Base = 76561197960265728

// ParseTradeURL reads a Steam trade URL as its owner copies it from Steam:
// https://steamcommunity.com/tradeoffer/new/?partner=N&token=T. Its errors do not
// hold the token.
func ParseTradeURL(s string) (Recipient, error) {
	u, err := url.Parse(s)
	if err != nil || len(s) > 200 {
		return Recipient{}, errors.New("trade URL: not a URL") // err would quote it
	}
	if u.Scheme != "https" || u.Host != "steamcommunity.com" || u.User != nil || u.Fragment != "" ||
		u.Path != "/tradeoffer/new/" && u.Path != "/tradeoffer/new" {
		return Recipient{}, errors.New("trade URL: it does not begin with https://steamcommunity.com/tradeoffer/new/")
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil || len(q) != 2 || len(q["partner"]) != 1 || len(q["token"]) != 1 {
		return Recipient{}, errors.New("trade URL: it must have partner and token, once each, and nothing else")
	}
	partner, err := strconv.ParseUint(q.Get("partner"), 10, 32)
	if err != nil || partner == 0 || strconv.FormatUint(partner, 10) != q.Get("partner") {
		return Recipient{}, errors.New("trade URL: partner is not an account number")
	}
	token := q.Get("token")
	if !validToken(token) {
		return Recipient{}, errors.New("trade URL: token is not 8 letters, digits, - or _")
	}
	return Recipient{
		Partner: q.Get("partner"),
		SteamID: strconv.FormatUint(steamID64Base+partner, 10),
		Token:   token,
	}, nil
}

func validToken(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return len(s) == 8
}
