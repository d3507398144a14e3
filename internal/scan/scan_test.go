package scan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-faster/jx"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// part is a member of an object, or an element of a list.
type part struct{ key, value string }

// parts reads a whole body with a Scanner.
func parts(r io.Reader) ([]part, error) {
	s := New(r)
	var all []part
	value := func(key string) error {
		v, err := s.Value()
		all = append(all, part{key, string(v)})
		return err
	}
	kind, err := s.Kind()
	if err != nil {
		return nil, err
	}
	if kind == jx.Array {
		err = s.Array(func() error { return value("") })
	} else {
		err = s.Object(func(key []byte) error { return value(string(key)) })
	}
	if err != nil {
		return nil, err
	}
	return all, s.End()
}

// readers give the same bytes in pieces of every kind.
func readers(b []byte) map[string]io.Reader {
	return map[string]io.Reader{
		"whole":       bytes.NewReader(b),
		"bytes":       iotest.OneByteReader(bytes.NewReader(b)),
		"end at once": iotest.DataErrReader(bytes.NewReader(b)),
	}
}

// checkParts compares a Scanner with encoding/json, which knows what is JSON.
func checkParts(t *testing.T, body []byte) {
	t.Helper()
	begin := bytes.TrimLeft(body, " \r\n\t")
	valid := json.Valid(body) && len(begin) > 0 && (begin[0] == '{' || begin[0] == '[')
	for name, r := range readers(body) {
		got, err := parts(r)
		if (err == nil) != valid {
			t.Fatalf("%s, %.200q: got %v, valid is %t", name, body, err, valid)
		}
		if !valid {
			continue
		}
		want := jsonParts(t, body)
		if len(got) != len(want) {
			t.Fatalf("%s, %.200q: got %d parts, want %d", name, body, len(got), len(want))
		}
		for i := range got {
			// encoding/json and jx repair what is no UTF-8 in their own ways.
			if got[i].value != want[i].value || strings.ToValidUTF8(got[i].key, "") != strings.ToValidUTF8(want[i].key, "") && !strings.Contains(want[i].key, "\ufffd") {
				t.Fatalf("%s, %.200q: got part %q, want %q", name, body, got[i], want[i])
			}
		}
	}
}

// jsonParts is parts by encoding/json.
func jsonParts(t *testing.T, body []byte) []part {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(body))
	open, err := dec.Token()
	var all []part
	for err == nil && dec.More() {
		var p part
		if open == json.Delim('{') {
			var key json.Token
			if key, err = dec.Token(); err != nil {
				break
			}
			p.key = key.(string)
		}
		var raw json.RawMessage
		err = dec.Decode(&raw)
		p.value = string(raw)
		all = append(all, p)
	}
	if err != nil {
		t.Fatalf("encoding/json on %q: %v", body, err)
	}
	return all
}

// bodies are JSON, and what is nearly JSON.
var bodies = []string{
	``, ` `, `null`, `7`, `"a"`, `[]`, `{}`, ` [ ] `, "\t{\r\n}\n", `[}`, `{]`, `[`, `{`, `]`,
	`[1]`, `[1,2]`, `[1,]`, `[,]`, `[,1]`, `[1 2]`, `[1]]`, `[1],`, `[1]x`, `[1]` + "\x00", "\ufeff[]",
	`{"a":1}`, `{"a":1,"a":2}`, `{ "a" : 1 , "b" : [ { } ] }`, `{"a":1,}`, `{,"a":1}`, `{"a"}`, `{"a":}`, `{"a",1}`, `{a:1}`, `{'a':1}`, `{1:1}`, `{"a":1"b":2}`,
	`{"\u0061":1,"\ud83d\ude00":2,"\ud800":3,"\"":4,"":5}`, `{"\x":1}`, `{"\u12":1}`, `{"\u12g4":1}`, "{\"a\n\":1}", "{\"\xff\":\"\xfe\"}",
	`["\b\f\n\r\t\/\\\""]`, `["\a"]`, `["` + "\x1f" + `"]`, `["` + "\x7f" + `"]`, `["a`, `["a\`, `["\u`, `["★ ™"]`,
	`[0,-0,0.0,1e5,1E+5,1e-5,-1.25e10,123456789012345678901234567890]`,
	`[01]`, `[-]`, `[.5]`, `[5.]`, `[1e]`, `[1e+]`, `[+1]`, `[--1]`, `[1.2.3]`, `[0x1]`, `[NaN]`, `[1-2]`, `[00]`, `[-01]`,
	`[true,false,null]`, `[tru]`, `[truee]`, `[nul`, `[True]`, `[nu,ll]`, `[t`,
	`[[[[[[1]]]]]]`, `[[[[[[1]]]]]`, `[{"a":[{"b":{}}]}]`, `[{"a":[{"b":{]}]}]`, `[/**/1]`,
	`{"items":[{"name":"A","price":1}],"status":"success"}`, `<html></html>`,
	`["` + strings.Repeat("long ", 40_000) + `",1]`, `["` + strings.Repeat(`\n`, 40_000) + `",` + strings.Repeat(" ", 200_000) + `1]`,
	strings.Repeat("[", 20_000), strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000), strings.Repeat(`{"a":`, 300) + "1" + strings.Repeat("}", 300),
}

func TestScannerAgainstEncodingJSON(t *testing.T) {
	for _, body := range bodies {
		checkParts(t, []byte(body))
	}
}

func FuzzScanner(f *testing.F) {
	for _, body := range bodies {
		if len(body) < 10_000 {
			f.Add([]byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 1<<16 {
			t.Skip("this may be deeper than encoding/json goes")
		}
		checkParts(t, body)
	})
}

// TestEveryCutIsAnError: no beginning of a body passes for the body.
func TestEveryCutIsAnError(t *testing.T) {
	body := []byte(`{"a":[{"b":"\u2605","c":1.5,"d":null},true],"e":-1e5}`)
	for n := range body {
		if _, err := parts(bytes.NewReader(body[:n])); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: got %v, want %v", body[:n], err, io.ErrUnexpectedEOF)
		}
	}
}

// TestEveryWindow puts a long value across every place where the window may end.
func TestEveryWindow(t *testing.T) {
	for _, at := range []int{firstWindow, 2 * firstWindow, fullWindow, 3 * fullWindow} {
		for shift := -60; shift <= 10; shift++ {
			body := []byte(`{"` + strings.Repeat("p", at+shift-5) + `":"a\u0062","name":"★ Karambit","n":-12.5e3,"t":true}`)
			got, err := parts(bytes.NewReader(body))
			if err != nil || len(got) != 4 || got[1] != (part{"name", `"★ Karambit"`}) || got[2] != (part{"n", "-12.5e3"}) || got[3] != (part{"t", "true"}) {
				t.Fatalf("a window that ends at %d%+d: got %.100q, %v", at, shift, got, err)
			}
		}
	}
}

func TestScannerErrors(t *testing.T) {
	broken := errors.New("broken wire")
	body := `{"a":1,"b":` + strings.Repeat(" ", 300_000) + `2}`
	for _, n := range []int{0, 1, 6, 7, 9, 200_000, len(body)} {
		_, err := parts(io.MultiReader(strings.NewReader(body[:n]), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Errorf("broken after %d bytes: got %v, want the reader's error", n, err)
		}
	}
	if _, err := parts(idle{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that gives nothing: got %v, want %v", err, io.ErrNoProgress)
	}
	large := io.MultiReader(strings.NewReader(`["`), io.LimitReader(xs{}, 2*maxValue), strings.NewReader(`"]`))
	var syntax *SyntaxError
	if _, err := parts(large); !errors.As(err, &syntax) {
		t.Errorf("a value of %d bytes: got %v, want a *SyntaxError", 2*maxValue, err)
	}
	if _, err := parts(strings.NewReader(`{"ab":01}`)); !errors.As(err, &syntax) || syntax.Offset != 6 {
		t.Errorf("a bad number: got %v, want a *SyntaxError after 6 bytes", err)
	}
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

type xs struct{}

func (xs) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestSpecial(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte("\"\\\x00\x1f\x20\x21\x23\x5b\x5d\x7f\x80\xa2\xdc\xffabc"))), 0, 40).Draw(t, "bytes")
		i := rapid.IntRange(0, len(b)).Draw(t, "from")
		want := slices.IndexFunc(b[i:], func(c byte) bool { return c < ' ' || c == '"' || c == '\\' })
		if want < 0 {
			want = len(b) - i
		}
		if got := special(b, i); got != i+want {
			t.Fatalf("special(%q, %d): got %d, want %d", b, i, got, i+want)
		}
	})
}

// Members of the rows in these tests.
const (
	other = iota
	letterA
	letterB
)

func testMember(key []byte) int {
	switch string(key) {
	case "a":
		return letterA
	case "b":
		return letterB
	}
	return other
}

// readRow reads a row and gives its members a and b as a Row tells them.
func readRow(s *Shape, b []byte) (fields []string, n int) {
	row := s.Open(b)
	for row.Next() {
		if row.Member == other {
			row.Skip()
			continue
		}
		v, kind := row.Scalar()
		fields = append(fields, fmt.Sprint(row.Member, " ", kind, " ", string(v)))
	}
	return fields, row.End()
}

// checkRow compares a Row with encoding/json.
func checkRow(t *testing.T, s *Shape, b []byte) {
	t.Helper()
	got, n := readRow(s, b)
	if n == 0 {
		return
	}
	if n > len(b) || !json.Valid(b[:n]) || b[0] != '{' {
		t.Fatalf("%q: %d bytes were taken for a row", b, n)
	}
	var want []string
	for _, p := range jsonParts(t, b[:n]) {
		m := testMember([]byte(p.key))
		if m == other {
			continue
		}
		kind := jx.DecodeStr(p.value).Next()
		text := p.value
		switch kind {
		case jx.String:
			text = text[1 : len(text)-1]
		case jx.Null:
			text = ""
		}
		want = append(want, fmt.Sprint(m, " ", kind, " ", text))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%q: got %q, want %q", b[:n], got, want)
	}
}

// rows are of the ordinary kind or not, as the second figure says.
var rows = []struct {
	text     string
	ordinary bool
}{
	{`{}`, true}, {`{"a":1}`, true}, {`{"a":"x","b":null,"c":[1,{"d":"\n"}]}`, true}, {` {"a":1}`, false},
	{`{ "a" : 1 , "b" : true }`, true}, {`{"b":1,"a":2}`, true}, {`{"b":1,"b":2}`, true}, {`{"a":1,"c":0,"b":2}`, true},
	{`{"a":"\n"}`, false}, {`{"a":[]}`, false}, {`{"a":{}}`, false}, {`{"\u0061":1}`, false}, {`{"c":"\u0061"}`, true},
	{`{"a":01}`, false}, {`{"a":1.}`, false}, {`{"a":1`, false}, {`{"a":`, false}, {`{"a"`, false}, {`{"a`, false}, {`{`, false}, {``, false}, {`[]`, false},
	{`{"a":1,}`, false}, {`{,"a":1}`, false}, {`{"a":1"b":2}`, false}, {`{"a":1,,"b":2}`, false}, {`{"a":1 "b":2}`, false}, {`{"b":2,{"a":1}`, false}, {`{{"a":1}`, false},
	{`{"a":tru}`, false}, {`{"a":truee}`, false}, {"{\"a\":\"\x01\"}", false}, {"{\"a\":\"\xff\"}", true}, {`{"a":-0.5e-3}`, true}, {`{"a":12`, false},
}

// TestRows reads every row with the shape that every other one has left.
func TestRows(t *testing.T) {
	for _, before := range rows {
		for _, r := range rows {
			s := NewShape(testMember)
			readRow(s, []byte(before.text))
			for _, rest := range []string{"", ",", `,{"a":1}`, "]}"} {
				checkRow(t, s, []byte(r.text+rest))
				if _, n := readRow(s, []byte(r.text+rest)); (n > 0) != r.ordinary || n > 0 && n != len(r.text) {
					t.Errorf("%q after %q: got %d bytes, ordinary is %t", r.text, before.text, n, r.ordinary)
				}
			}
		}
	}
}

func FuzzRow(f *testing.F) {
	for i, r := range rows {
		f.Add([]byte(rows[len(rows)-1-i].text), []byte(r.text))
	}
	f.Fuzz(func(t *testing.T, before, b []byte) {
		s := NewShape(testMember)
		for range 3 {
			checkRow(t, s, before)
			checkRow(t, s, b)
		}
	})
}

func TestShapeIsBounded(t *testing.T) {
	s := NewShape(testMember)
	for i := range 1000 {
		text := fmt.Sprintf(`{"k%d":1,"%s":2,"a":3}`, i, strings.Repeat("x", i))
		if got, n := readRow(s, []byte(text)); n != len(text) || len(got) != 1 {
			t.Fatalf("%s: got %q, %d bytes", text, got, n)
		}
	}
	if len(s.gaps) > maxGaps {
		t.Errorf("got %d gaps, want at most %d", len(s.gaps), maxGaps)
	}
}

// TestTake hands every row of a list to a Row first, and what it leaves alone to
// nobody else.
func TestTake(t *testing.T) {
	var b strings.Builder
	want := 0
	b.WriteString("[")
	for b.Len() < 3*fullWindow {
		fmt.Fprintf(&b, `{"a":%d,"b":"%s"},`, want, strings.Repeat("y", want%50))
		want++
		if want%1000 == 0 {
			b.WriteString(`{"a":"\u2605"}, [7] ,`)
		}
	}
	b.WriteString("{}]")
	for name, r := range readers([]byte(b.String())) {
		s, shape := New(r), NewShape(testMember)
		taken, odd := 0, 0
		err := s.Array(func() error {
			left, err := s.Take(func(b []byte) int {
				fields, n := readRow(shape, b)
				if n > 2 && fields[0] != fmt.Sprint(letterA, " ", jx.Number, " ", taken) {
					t.Fatalf("%s: got %q, want row %d", name, fields, taken)
				}
				return n
			})
			switch {
			case err != nil:
			case left == nil:
				taken++
			case string(left) != `[7]` && string(left) != `{"a":"\u2605"}`:
				t.Fatalf("%s: %q was left alone", name, left)
			default:
				odd++
			}
			return err
		})
		if err = errors.Join(err, s.End()); err != nil || taken != want+1 || odd != 2*(want/1000) {
			t.Errorf("%s: got %d rows and %d others, %v, want %d and %d", name, taken, odd, err, want+1, 2*(want/1000))
		}
	}
}
