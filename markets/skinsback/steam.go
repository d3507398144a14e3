package skinsback

import "strings"

// Steam's identifiers, as far as their form can be told wrong before anything is
// sent.

// validSteamID tells whether s is the SteamID64 of a person.
func validSteamID(s string) bool {
	return len(s) == 17 && digits(s) && strings.HasPrefix(s, "7656119")
}

// validToken tells whether s is the token of a trade URL.
func validToken(s string) bool { return len(s) == 8 && idLetters(s) }

// validOrderID tells whether s can be an ID of ours for a deposit.
func validOrderID(s string) bool { return s != "" && len(s) <= 64 && idLetters(s) }

func idLetters(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}
