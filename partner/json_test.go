package partner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// printed are texts and what JSON.stringify(JSON.parse(text)) makes of them; empty
// is no JSON.
var printed = []struct{ text, want string }{
	{"null", "null"}, {" true\n", "true"}, {"\tfalse\r", "false"}, {`""`, `""`}, {"[]", "[]"}, {"{}", "{}"},
	{` [ 1 , [ ] , { } , "a" , null ] `, `[1,[],{},"a",null]`},
	{"", ""}, {" ", ""}, {"nul", ""}, {"nulll", ""}, {"True", ""}, {"{}{}", ""}, {"[1,]", ""}, {"[,1]", ""}, {"[1 2]", ""}, {"{,}", ""},
	{`{"a"}`, ""}, {`{"a":}`, ""}, {`{"a":1,}`, ""}, {`{a:1}`, ""}, {`{'a':1}`, ""}, {"[", ""}, {"{", ""}, {`{"a":1`, ""}, {"]", ""}, {"/**/1", ""},
	{"\ufeff{}", ""}, {"\u00a01", ""}, {"\v1", ""}, {"\x001", ""}, {"1\x00", ""}, {"undefined", ""}, {"NaN", ""}, {"Infinity", ""},

	{"0", "0"}, {"-0", "0"}, {"-0.0", "0"}, {"0e5", "0"}, {"1.0", "1"}, {"1.10", "1.1"}, {"100e-2", "1"}, {"1e2", "100"}, {"1E+2", "100"},
	{"0.1", "0.1"}, {"0.30000000000000004", "0.30000000000000004"}, {"1.2300000000000000001", "1.23"}, {"-12.5", "-12.5"},
	{"0.000001", "0.000001"}, {"0.0000001", "1e-7"}, {"0.00000123", "0.00000123"}, {"9.5e-7", "9.5e-7"}, {"1.5e-10", "1.5e-10"}, {"-1e-7", "-1e-7"},
	{"1e20", "100000000000000000000"}, {"123456789012345680000", "123456789012345680000"}, {"999999999999999999999", "1e+21"}, {"1e21", "1e+21"}, {"-1.5e300", "-1.5e+300"},
	{"9007199254740993", "9007199254740992"}, {"9223372036854775807", "9223372036854776000"}, {"5e-324", "5e-324"}, {"1.7976931348623157e308", "1.7976931348623157e+308"},
	{"1e400", "null"}, {"-1e400", "null"}, {"1e-400", "0"}, {"-1e-400", "0"}, {"2.4e-324", "0"}, {"2.5e-324", "5e-324"}, {strings.Repeat("9", 400), "null"},
	{"01", ""}, {"-", ""}, {"+1", ""}, {".5", ""}, {"1.", ""}, {"1.e2", ""}, {"1e", ""}, {"1e+", ""}, {"--1", ""}, {"-01", ""}, {"1_000", ""}, {"0x10", ""}, {"1e1.5", ""},

	{`"/<>&'\/"`, `"/<>&'/"`}, {`"\u0022\u005c"`, `"\"\\"`}, {`"\b\t\n\f\r"`, `"\b\t\n\f\r"`}, {`"\u0008\u0009\u000A\u000c\u000D"`, `"\b\t\n\f\r"`},
	{`"\u0000\u000b\u001f\u007f"`, "\"\\u0000\\u000b\\u001f\x7f\""}, {`"\u2028\u2029"`, "\"\u2028\u2029\""}, {`"\u00e9é"`, `"éé"`}, {`"\ufeff"`, "\"\ufeff\""},
	{`"\ud83d\ude00"`, `"😀"`}, {`"\uD83D\uDE00"`, `"😀"`}, {`"😀"`, `"😀"`}, {`"\ud83d"`, `"\ud83d"`}, {`"\uDE00"`, `"\ude00"`}, {`"\ude00\ud83d"`, `"\ude00\ud83d"`},
	{`"\ud83d\ud83d\ude00"`, `"\ud83d😀"`}, {`"\ud83dx"`, `"\ud83dx"`}, {`"\ud83d\n"`, `"\ud83d\n"`}, {`"\ud83d\u0041"`, `"\ud83dA"`}, {`"\udbff\udfff"`, `"` + "\U0010FFFF" + `"`},
	{`"\ud800\udc00"`, `"` + "\U00010000" + `"`}, {`"\uD7FF\uE000"`, "\"\uD7FF\uE000\""}, {`"\udfff"`, `"\udfff"`}, {`"\ud7ff\udabc"`, "\"\ud7ff\\udabc\""},
	{`"\u12"`, ""}, {`"\u12g4"`, ""}, {`"\u"`, ""}, {`"\x41"`, ""}, {`"\`, ""}, {`"\"`, ""}, {`"a`, ""}, {"\"a\nb\"", ""}, {"\"\t\"", ""}, {"\"\x00\"", ""}, {`"\ud83d\u12"`, ""}, {`"\ud83d\x"`, ""},
	{"\"\x7f\"", "\"\x7f\""},

	{`{"b":1,"a":2}`, `{"b":1,"a":2}`}, {`{"a":1,"b":2,"a":3}`, `{"a":3,"b":2}`}, {`{"a":{"x":1},"a":{"y":2}}`, `{"a":{"y":2}}`}, {`{"\u0061":1,"a":2}`, `{"a":2}`},
	{`{"b":1,"10":2,"2":3,"a":4,"1":5}`, `{"1":5,"2":3,"10":2,"b":1,"a":4}`}, {`{"x":1,"0":2,"2":3,"0":4}`, `{"0":4,"2":3,"x":1}`},
	{`{"a":1,"01":2,"-1":3,"1.0":4,"1e0":5,"00":6,"+1":7," 1":8}`, `{"a":1,"01":2,"-1":3,"1.0":4,"1e0":5,"00":6,"+1":7," 1":8}`},
	{`{"a":1,"4294967296":2,"4294967295":3,"4294967294":4,"99999999999999999999":5}`, `{"4294967294":4,"a":1,"4294967296":2,"4294967295":3,"99999999999999999999":5}`},
	{`{"b":0,"2147483648":1,"2147483647":2}`, `{"2147483647":2,"2147483648":1,"b":0}`},
	{`{"__proto__":1,"a":2}`, `{"__proto__":1,"a":2}`}, {`{"a":1,"__proto__":{"b":2},"__proto__":null}`, `{"a":1,"__proto__":null}`},
	{`{"toJSON":1,"constructor":2,"":3}`, `{"toJSON":1,"constructor":2,"":3}`}, {`{"\ud83d":1,"\ud83d":2,"x":3}`, `{"\ud83d":2,"x":3}`},
	{`{"x":{"1":[{"b":1,"0":-0}]}}`, `{"x":{"1":[{"0":0,"b":1}]}}`},
}

func print(text string) (string, bool) {
	v, err := parse([]byte(text))
	if err != nil {
		return "", false
	}
	return string(v.append(nil)), true
}

func TestPrint(t *testing.T) {
	for _, tt := range printed {
		if got, ok := print(tt.text); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%.80q: got %.80q and %t, want %.80q", tt.text, got, ok, tt.want)
		}
	}
}

// TestBounds: what is too long or too deep is refused, and what is just below is
// not.
func TestBounds(t *testing.T) {
	nested := func(n int) string { return strings.Repeat(`[{"a":`, n/2) + "1" + strings.Repeat("}]", n/2) }
	for _, tt := range []struct {
		name, text string
		ok         bool
	}{
		{"deepest", nested(maxDepth), true},
		{"too deep", nested(maxDepth + 2), false},
		{"far too deep", strings.Repeat("[", maxText), false},
		{"longest", `"` + strings.Repeat("x", maxText-2) + `"`, true},
		{"too long", `"` + strings.Repeat("x", maxText-1) + `"`, false},
		{"no UTF-8", "\"\xff\"", false},
		{"a surrogate in three bytes", "\"\xed\xa0\xbd\"", false},
		{"an overlong NUL", "\"\xc0\x80\"", false},
	} {
		if _, ok := print(tt.text); ok != tt.ok {
			t.Errorf("%s: read %t, want %t", tt.name, ok, tt.ok)
		}
	}
}

// TestNumbersReadBack: a printed number is the shortest that reads as the same, as
// encoding/json prints it but for minus zero.
func TestNumbersReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := math.Float64frombits(rapid.Uint64().Draw(t, "bits"))
		if rapid.Bool().Draw(t, "of ordinary size") {
			f = rapid.Float64Range(-1e22, 1e22).Draw(t, "f")
		}
		if math.IsNaN(f) || math.IsInf(f, 0) || f == 0 {
			return
		}
		got := string(appendNumber(nil, f))
		want, err := json.Marshal(f)
		if err != nil || got != string(want) {
			t.Fatalf("%b: got %s, want %s (%v)", f, got, want, err)
		}
		if back, err := strconv.ParseFloat(got, 64); err != nil || back != f {
			t.Fatalf("%s reads as %b, want %b", got, back, f)
		}
	})
}

// drawJSON draws a text of JSON's with unusual keys, numbers, escapes and space.
func drawJSON(t *rapid.T, depth int) string {
	space := func() string { return rapid.SampledFrom([]string{"", "", "", " ", "\n\t"}).Draw(t, "space") }
	text := func() string {
		part := rapid.OneOf(
			rapid.SampledFrom([]string{`\n`, `\u0000`, `\u2028`, `\ud83d`, `\ude00`, `\uD83D\uDE00`, `\/`, `\"`, `\\`, "<", "é", "\u2029", "😀", "\x7f", "id", "0", "1", "10", "4294967295", "__proto__"}),
			rapid.Map(rapid.Uint16(), func(u uint16) string { return fmt.Sprintf(`\u%04x`, u) }),
		)
		return `"` + strings.Join(rapid.SliceOfN(part, 0, 3).Draw(t, "text"), "") + `"`
	}
	kinds := 4
	if depth > 0 {
		kinds = 6
	}
	var v string
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		v = rapid.SampledFrom([]string{"null", "true", "false"}).Draw(t, "word")
	case 1:
		v = rapid.StringMatching(`-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?`).Draw(t, "number")
	case 2:
		v = strconv.FormatFloat(rapid.Float64Range(-1e25, 1e25).Draw(t, "number"), 'g', -1, 64)
	case 3:
		v = text()
	case 4:
		var items []string
		for range rapid.IntRange(0, 4).Draw(t, "items") {
			items = append(items, drawJSON(t, depth-1))
		}
		v = "[" + space() + strings.Join(items, ",") + "]"
	case 5:
		var members []string
		for range rapid.IntRange(0, 6).Draw(t, "members") {
			members = append(members, space()+text()+space()+":"+drawJSON(t, depth-1))
		}
		v = "{" + strings.Join(members, ",") + space() + "}"
	}
	return space() + v + space()
}

// TestPrintLikeNode compares with JavaScript itself, where it is installed.
func TestPrintLikeNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	var texts []string
	for _, tt := range printed {
		texts = append(texts, tt.text)
	}
	text := rapid.Custom(func(t *rapid.T) string { return drawJSON(t, 3) })
	for seed := range 3000 {
		texts = append(texts, text.Example(seed))
	}
	in, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, "-e", `
		let s = ''
		process.stdin.setEncoding('utf8')
		process.stdin.on('data', d => s += d).on('end', () => {
			const out = JSON.parse(s).map(t => { try { return JSON.stringify(JSON.parse(t)) } catch { return '' } })
			process.stdout.write(JSON.stringify(out))
		})`)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("run node: %v", err)
	}
	var want []string
	if err := json.Unmarshal(out, &want); err != nil || len(want) != len(texts) {
		t.Fatalf("got %d answers of node for %d texts, error %v", len(want), len(texts), err)
	}
	for i, text := range texts {
		if got, _ := print(text); got != want[i] {
			t.Errorf("%q: got %q, node prints %q", text, got, want[i])
		}
	}
}

// FuzzPrint: what is read is what encoding/json takes for valid, and its print is
// valid, means the same, and prints as itself.
func FuzzPrint(f *testing.F) {
	for _, tt := range printed {
		f.Add([]byte(tt.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := parse(text)
		if valid := json.Valid(text) && utf8.Valid(text); err == nil && !valid {
			t.Fatalf("%q was read, want it refused", text)
		} else if err != nil && valid && len(text) <= maxText && depth(text) <= maxDepth {
			t.Fatalf("%q was refused, want it read", text)
		}
		if err != nil {
			return
		}
		once := v.append(nil)
		if !json.Valid(once) {
			t.Fatalf("%q was printed as %q, which is no JSON", text, once)
		}
		again, err := parse(once)
		if len(once) > maxText { // a NUL is printed in six bytes
			return
		}
		if err != nil || !bytes.Equal(again.append(nil), once) {
			t.Fatalf("%q was printed as %q, and that as %q, error %v", text, once, again.append(nil), err)
		}
		var before, after any
		if json.Unmarshal(text, &before) != nil { // a number that is too large
			return
		}
		if err := json.Unmarshal(once, &after); err != nil || !reflect.DeepEqual(before, after) {
			t.Fatalf("%q was printed as %q: %v became %v, error %v", text, once, before, after, err)
		}
	})
}

// depth is how many brackets are open at most, strings aside.
func depth(text []byte) int {
	open, most, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			open++
			most = max(most, open)
		case c == ']' || c == '}':
			open--
		}
	}
	return most
}
