package skinsback

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
)

// params are the parameters of a request: a string, a []string for a list, or a
// []map[string]string for a list of objects.
// Numbers and flags are strings too, because a signature covers the text that
// PHP makes of a value, and of "10.50" it makes "10.50" but of 10.50 "10.5".
type params map[string]any

// signed gives p with the account's id and the signature added, in place of
// the authentication headers.
func (p params) signed(clientID, secret string) params {
	s := maps.Clone(p)
	s["shopid"] = clientID
	s["sign"] = s.signature(secret)
	return s
}

// signature is the HMAC-SHA1 of "key:value;" for every scalar in order of the
// keys. Lists travel but are not signed.
// https://skinsback.com/docs/api/v1/signature
func (p params) signature(secret string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if value, ok := p[name].(string); ok && name != "sign" {
			fmt.Fprintf(mac, "%s:%s;", name, value)
		}
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// json gives p as a JSON object.
func (p params) json() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// form gives p as PHP reads forms: a list's elements have its name and their
// index in brackets.
func (p params) form() []byte {
	values := url.Values{}
	for name, value := range p {
		switch value := value.(type) {
		case string:
			values.Set(name, value)
		case []string:
			for i, element := range value {
				values.Set(name+"["+strconv.Itoa(i)+"]", element)
			}
		case []map[string]string:
			for i, element := range value {
				for field, v := range element {
					values.Set(name+"["+strconv.Itoa(i)+"]["+field+"]", v)
				}
			}
		}
	}
	return []byte(values.Encode())
}
