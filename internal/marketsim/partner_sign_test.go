package marketsim

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPartnerSignatures(t *testing.T) {
	for _, v := range partnerVectors {
		signed := ""
		if v.poll {
			query, err := url.ParseQuery(v.raw)
			if err != nil {
				t.Fatal(err)
			}
			if len(query["customId"]) != 1 {
				continue // SIH asks for one order
			}
			signed = pollText(query.Get("customId"))
		} else {
			root, err := parseJS(v.raw)
			if err != nil {
				t.Errorf("%s: %v", v.name, err)
				continue
			}
			signed = string(appendJS(nil, root))
		}
		if signed != v.signed {
			t.Errorf("%s: signs %s, want %s", v.name, signed, v.signed)
		}
		if got := partnerSignature(v.key, signed); got != v.signature {
			t.Errorf("%s: got %s, want %s", v.name, got, v.signature)
		}
	}
}

// FuzzJS holds the parser against encoding/json, and what is printed against what
// was read.
func FuzzJS(f *testing.F) {
	for _, v := range partnerVectors {
		f.Add(v.raw)
	}
	for _, s := range []string{"", "01", "1.", "-", "1e", `"\x"`, `"\u12"`, `{"a":1,}`, `[1,]`, `{"a"}`, "nul", `"` + "\x01", "1 2", " [ ] ", "[[[]]]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := parseJS(text)
		if valid := json.Valid([]byte(text)) && utf8.ValidString(text); valid != (err == nil) && strings.Count(text, "[")+strings.Count(text, "{") < maxNesting {
			t.Fatalf("%q: got %v, encoding/json finds it valid: %v", text, err, valid)
		}
		if err != nil {
			return
		}
		printed := string(appendJS(nil, v))
		again, err := parseJS(printed)
		if err != nil {
			t.Fatalf("%q: printed as %s, which cannot be read", text, printed)
		}
		if twice := string(appendJS(nil, again)); twice != printed {
			t.Errorf("%q: printed as %s, and then as %s", text, printed, twice)
		}
	})
}
