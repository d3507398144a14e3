package partner

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
)

// signer gives SIH's signature of a text: HMAC-SHA1 under the deposit API key. It
// is a function so that the key is in nothing that can be printed.
type signer func(text []byte) []byte

func newSigner(key []byte) signer {
	key = append([]byte(nil), key...)
	return func(text []byte) []byte {
		mac := hmac.New(sha1.New, key)
		mac.Write(text)
		return mac.Sum(nil)
	}
}

// signed tells whether signature, in hex, is that of v. The time that it takes does
// not tell how much of it is right.
func (sign signer) signed(v value, signature string) bool {
	given, err := hex.DecodeString(signature)
	return hmac.Equal(given, sign(v.append(nil))) && err == nil
}
