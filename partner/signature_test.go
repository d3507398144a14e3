package partner_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"skinarb/partner"
)

// vector is a signed call of SIH's.
type vector struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Key    string `json:"key"`
	Signed string `json:"signed"` // the text that the signature is of
	call
}

// accepts tells whether a call passes for signed.
func accepts(t *testing.T, key string, c call) bool {
	t.Helper()
	sh := newShop(t, func(cfg *partner.Config) { cfg.Key = []byte(key) })
	answer := c.make(sh.Server)
	if err := checkAnswer(answer); err != nil {
		t.Errorf("%s: %s is no answer of the protocol: %v", c, answer, err)
	}
	return string(answer) != `{"success":false,"error":"invalid signature"}`
}

func TestSignatureVectors(t *testing.T) {
	var all []vector
	readTestdata(t, "signatures.json", &all)
	if len(all) != 32 {
		t.Fatalf("got %d vectors, want 32", len(all))
	}
	for _, v := range all {
		t.Run(v.ID+" "+v.Title, func(t *testing.T) {
			if !accepts(t, v.Key, v.call) {
				t.Errorf("%s is not taken for signed", v.call)
			}
			if accepts(t, v.Key+"x", v.call) {
				t.Errorf("%s is taken for signed under another key", v.call)
			}
			for i, wrong := range []string{
				"", v.Signature[:39], v.Signature[:38], v.Signature + "00", v.Signature + "0", "zz" + v.Signature[2:], " " + v.Signature,
				flip(v.Signature, 0), flip(v.Signature, 39),
			} {
				c := v.call
				c.Signature = wrong
				if accepts(t, v.Key, c) {
					t.Errorf("%s is taken for signed with wrong signature %d", v.call, i)
				}
			}
		})
	}
}

// flip changes one digit.
func flip(hex string, i int) string {
	digit := "0"
	if hex[i] == '0' {
		digit = "1"
	}
	return hex[:i] + digit + hex[i+1:]
}

// TestUnsignedTouchesNothing: what is not SIH's reaches neither desk nor store.
func TestUnsignedTouchesNothing(t *testing.T) {
	sh := newShop(t)
	sh.desk.panics = true
	sh.store.fault = func(string) (bool, error) { return false, errors.New("asked") }
	for _, body := range []string{"", "{}", "{", "null", strings.Repeat("[", 1000), strings.Repeat(" ", 70_000), "\xff", `{"customId":"a"}`} {
		sh.Create(t.Context(), []byte(body), strings.Repeat("0", 40))
	}
	for _, query := range []string{"", "customId=a", "customId=%zz", "customId=%ff", "a;b", strings.Repeat("&", 70_000)} {
		sh.Get(t.Context(), query, strings.Repeat("0", 40))
	}
	if got := sh.Counts(); got != (partner.Counts{BadSignature: 14}) {
		t.Errorf("got %+v, want 14 bad signatures and nothing else", got)
	}
}

func TestNewNeedsKey(t *testing.T) {
	for _, key := range [][]byte{nil, {}} {
		if _, err := partner.New(partner.Config{Key: key, Store: newMemStore(), Desk: &fakeDesk{}}); err == nil {
			t.Error("a server without a key was made, want an error")
		}
	}
}

// TestKeyStaysInside: printing the server does not show the key, and a caller that
// reuses the memory of the key does not change it.
func TestKeyStaysInside(t *testing.T) {
	key := []byte(testKey)
	sh := newShop(t, func(cfg *partner.Config) { cfg.Key = key })
	clear(key)
	if text := fmt.Sprintf("%v %+v %#v", sh.Server, sh.Server, sh.Server); strings.Contains(text, testKey) || strings.Contains(text, fmt.Sprintf("%d", []byte(testKey))) {
		t.Error("the printed server has the key in it")
	}
	got := sh.Get(context.Background(), "customId=fast-12345", "90379d089c17a8b5179768a8e320ca1d0e86975f")
	var answer struct{ Error string }
	if err := json.Unmarshal(got, &answer); err != nil || answer.Error != "not found" {
		t.Errorf("got %s, want not found", got)
	}
}
