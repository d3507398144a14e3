package partner

import (
	"errors"
	"log/slog"
	"strconv"
)

// Buyer is the Steam account that gets an item. The token is a secret: whoever
// has it can send that account trade offers. Neither fmt nor slog nor JSON shows it.
type Buyer struct {
	SteamID string // SteamID64, 17 digits
	Token   string // the last part of the account's trade URL
}

// String gives the account without the token.
func (b Buyer) String() string { return "steam id " + b.SteamID }

// GoString gives what String does, for %#v.
func (b Buyer) GoString() string { return b.String() }

// LogValue gives what String does, for slog.
func (b Buyer) LogValue() slog.Value { return slog.StringValue(b.String()) }

// MarshalText gives what String does, for JSON and what is logged as JSON.
func (b Buyer) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// steamID64Base is the SteamID64 of account number 0 of an individual.
// https://developer.valvesoftware.com/wiki/SteamID
const steamID64Base = 76561197960265728

// Partner gives the account number, which is what trade URLs, and markets that
// deliver to one, call partner. It is empty when b is not a Buyer that ParseBuyer
// gave.
func (b Buyer) Partner() string {
	n, ok := accountNumber(b.SteamID)
	if !ok {
		return ""
	}
	return strconv.FormatUint(uint64(n), 10)
}

// accountNumber reads a SteamID64 of an individual in Steam's public universe.
func accountNumber(steamID string) (uint32, bool) {
	id, err := strconv.ParseUint(steamID, 10, 64)
	if err != nil || len(steamID) != 17 || id <= steamID64Base || id-steamID64Base > 1<<32-1 {
		return 0, false
	}
	return uint32(id - steamID64Base), true
}

// maxToken is the longest token that is believed. Steam's have 8 characters, the
// one in SIH's example has 7.
const maxToken = 16

// ParseBuyer checks a SteamID64 and a trade token. Its errors do not hold the
// token.
func ParseBuyer(steamID, token string) (Buyer, error) {
	if _, ok := accountNumber(steamID); !ok {
		return Buyer{}, errors.New("not the SteamID64 of a person")
	}
	if !validToken(token) {
		return Buyer{}, errors.New("not a trade token: some letters, digits, - or _")
	}
	return Buyer{steamID, token}, nil
}

func validToken(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return s != "" && len(s) <= maxToken
}
