package skinsback

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

// ErrSignature says that a webhook does not come from SkinsBack.
var ErrSignature = errors.New("the webhook is not signed with the client secret")

// Webhook reads an event that was sent to us, if the body carries a signature of
// ours: the HMAC-SHA256 in hex, by the client secret, of the body as it was
// sent. The documentation names two headers for it, Signature and Authorization;
// either will do, and a word before it, as Authorization has, is skipped. The
// header X-SIGN is the same for every body and so proves nothing.
//
// The only error is ErrSignature. A signed body that cannot be read gives the
// zero Event: something happened, nobody knows what.
// https://skinsback.com/docs/api/v1/api_event_webhook
func (c *Client) Webhook(signature, authorization string, body []byte) (Event, error) {
	mac := hmac.New(sha256.New, []byte(c.cfg.ClientSecret))
	mac.Write(body)
	want := mac.Sum(nil)
	if !signs(signature, want) && !signs(authorization, want) {
		return Event{}, ErrSignature
	}
	e, _ := readEvent(body)
	return e, nil
}

// signs tells whether a header has the signature, in a time that does not tell
// how much of it was right.
func signs(header string, want []byte) bool {
	header = strings.TrimSpace(header)
	header = header[strings.LastIndexByte(header, ' ')+1:]
	if len(header) != hex.EncodedLen(len(want)) {
		return false
	}
	got, err := hex.DecodeString(header)
	return err == nil && hmac.Equal(got, want)
}
