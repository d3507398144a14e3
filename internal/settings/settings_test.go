package settings

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"skinarb/pricing"
)

type sample struct {
	text   string
	blank  string
	secret string
	on     bool
	sell   bool
	n      int
	wait   time.Duration
	money  pricing.Money
	list   []string
}

func declare(v *sample) *Set {
	s := New("sample", "A sample program.")
	s.Text(&v.text, "SOME_TEXT", "standard", "Some text.")
	s.Secret(&v.secret, "SOME_KEY", "A key.")
	s.Switch(&v.on, "LOUD", "Whether it is loud.")
	s.OnOff(&v.sell, "SELL", "Whether it sells.")
	s.Blank(&v.blank, "SOME_URL", "https://there", "Some address.")
	s.Int(&v.n, "HOW_MANY", 3, 1, 10, "How many.")
	s.Duration(&v.wait, "WAIT", "5s", time.Second, time.Minute, "How long.")
	s.Dollars(&v.money, "MAX_USD", "", "Most money.")
	s.List("NAMES", "a,b", "Some names.", func(parts []string) error { v.list = parts; return nil })
	return s
}

func env(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFlagWinsOverEnvironmentOverFileOverDefault(t *testing.T) {
	file := write(t, "some_text: from file\nhow_many: 4\nmax_usd: 12.30\nnames: [x, y]\n")
	for _, tc := range []struct {
		name string
		args []string
		env  func(string) (string, bool)
		want string
	}{
		{"default", nil, env(), "standard"},
		{"file", []string{"--config", file}, env(), "from file"},
		{"environment", []string{"--config=" + file}, env("SOME_TEXT", "from env"), "from env"},
		{"flag", []string{"--some-text", "from flag"}, env("SOME_TEXT", "from env", "CONFIG", file), "from flag"},
	} {
		var v sample
		if err := declare(&v).Load(tc.args, tc.env, nil); err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		if v.text != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, v.text, tc.want)
		}
	}
	var v sample
	if err := declare(&v).Load(nil, env("CONFIG", file), nil); err != nil {
		t.Fatal(err)
	}
	if v.n != 4 || v.money.String() != "12.30" || strings.Join(v.list, "+") != "x+y" {
		t.Errorf("from file: got %+v", v)
	}
}

func TestEveryMistakeIsReported(t *testing.T) {
	file := write(t, "no_such: 1\nsome_key: hunter2\nhow_many: [1, [2]]\n")
	var v sample
	err := declare(&v).Load(
		[]string{"--wat", "--some-key", "hunter2", "stray", "--wait=soon", "--max-usd", "-3", "--loud=maybe"},
		env("CONFIG", file), nil)
	if err == nil {
		t.Fatal("got no error")
	}
	for _, want := range []string{"--wat:", "SOME_KEY: a flag would show", "stray: not a flag", "WAIT: got \"soon\"",
		"MAX_USD: got \"-3\"", "LOUD: got \"maybe\"", "no_such: no such setting", "some_key: secrets do not belong", "HOW_MANY:"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error shows the secret:\n%v", err)
	}
}

func TestSecretsComeFromEnvironmentOrFileAndAreNotShown(t *testing.T) {
	path := write(t, "hunter2\n")
	for _, get := range []func(string) (string, bool){env("SOME_KEY", "hunter2"), env("SOME_KEY_FILE", path)} {
		var v sample
		s := declare(&v)
		if err := s.Load(nil, get, nil); err != nil {
			t.Fatal(err)
		}
		if v.secret != "hunter2" {
			t.Errorf("got %q, want the secret", v.secret)
		}
		if shown := s.Shown()["SOME_KEY"]; shown != "(set)" {
			t.Errorf("shown as %q", shown)
		}
	}
	var v sample
	if err := declare(&v).Load(nil, env("SOME_KEY_FILE", path+".missing"), nil); err == nil || !strings.Contains(err.Error(), "SOME_KEY_FILE") {
		t.Errorf("missing secret file: got %v", err)
	}
}

func TestHelpAndVersion(t *testing.T) {
	var v sample
	var out bytes.Buffer
	if err := declare(&v).Load([]string{"--help"}, env(), &out); !errors.Is(err, ErrDone) {
		t.Fatalf("got %v, want ErrDone", err)
	}
	for _, want := range []string{"A sample program.", "--some-text VALUE  $SOME_TEXT (default: standard)", "SOME_KEY_FILE", "--config"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("help lacks %q:\n%s", want, out.String())
		}
	}
	out.Reset()
	if err := declare(&v).Load([]string{"--version"}, env(), &out); !errors.Is(err, ErrDone) || out.String() != "sample "+Version()+"\n" {
		t.Errorf("version: got %v, %q", err, out.String())
	}
}

func TestValidate(t *testing.T) {
	var p Prices
	s := New("sample", "")
	p.Declare(s, "127.0.0.1:8080")
	err := s.Load([]string{"--listen-addr", "0.0.0.0:80", "--demo-for", "3s", "--sih-url", "ftp://x", "--games", "chess"},
		env("SKINSBACK_CLIENT_ID", "1"), nil)
	err = errors.Join(append([]error{err}, p.Validate()...)...)
	for _, want := range []string{"LISTEN_ADDR:", "DEMO_FOR:", "SIH_URL:", "GAMES:", "SKINSBACK_CLIENT_SECRET:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q:\n%v", want, err)
		}
	}
}

func TestSkinsBackListIsOneOfTwo(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want string // empty for a mistake
	}{
		"default": {nil, "grouped"},
		"grouped": {[]string{"--skinsback-list", "grouped"}, "grouped"},
		"full":    {[]string{"--skinsback-list=full"}, "full"},
		"other":   {[]string{"--skinsback-list", "extended"}, ""},
	} {
		var p Prices
		s := New("sample", "")
		p.Declare(s, "127.0.0.1:8080")
		err := s.Load(tc.args, env(), nil)
		switch {
		case tc.want == "" && (err == nil || !strings.Contains(err.Error(), "SKINSBACK_LIST:")):
			t.Errorf("%s: got %v, want a mistake in SKINSBACK_LIST", name, err)
		case tc.want != "" && (err != nil || p.SkinsBack.List != tc.want):
			t.Errorf("%s: got %q, %v, want %q", name, p.SkinsBack.List, err, tc.want)
		}
	}
}

// What can be turned off is off when it is set to nothing; anything else keeps
// its default then.
func TestSetToNothing(t *testing.T) {
	var v sample
	if err := declare(&v).Load(nil, env("SOME_URL", "", "SOME_TEXT", ""), nil); err != nil || v.blank != "" || v.text != "standard" {
		t.Errorf("got %q and %q, error %v, want nothing and the default", v.blank, v.text, err)
	}
	if err := declare(&v).Load(nil, env(), nil); err != nil || v.blank != "https://there" {
		t.Errorf("not set: got %q, error %v, want the default", v.blank, err)
	}
}

// TestOnOff reads a switch in the words of the settings, and as a flag with and
// without them.
func TestOnOff(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		env  string
		want bool
		bad  bool
	}{
		"default":           {nil, "", false, false},
		"environment":       {nil, "on", true, false},
		"environment, true": {nil, "true", true, false},
		"nonsense":          {nil, "yes please", false, true},
		"flag":              {[]string{"--sell"}, "off", true, false},
		"flag, on":          {[]string{"--sell", "on", "--loud"}, "", true, false},
		"flag, off":         {[]string{"--sell", "off"}, "on", false, false},
		"flag, =off":        {[]string{"--sell=off"}, "on", false, false},
		"no flag":           {[]string{"--no-sell"}, "on", false, false},
		"flag, something":   {[]string{"--sell", "shoes"}, "", true, true},
	} {
		var v sample
		lookup := env()
		if tc.env != "" {
			lookup = env("SELL", tc.env)
		}
		if err := declare(&v).Load(tc.args, lookup, io.Discard); (err != nil) != tc.bad || err == nil && v.sell != tc.want {
			t.Errorf("%s: got %t, %v, want %t, a mistake %t", name, v.sell, err, tc.want, tc.bad)
		}
	}
}

// priced gives every mistake in settings of prices.
func priced(args []string, lookup func(string) (string, bool)) string {
	var p Prices
	s := New("sample", "")
	p.Declare(s, "127.0.0.1:8080")
	err := s.Load(args, lookup, nil)
	if err = errors.Join(append([]error{err}, p.Validate()...)...); err != nil {
		return err.Error()
	}
	return ""
}

// What is known to be wrong before anything starts is told then, by its name, with
// all the rest.
func TestMalformedSettingsAreNamed(t *testing.T) {
	file := write(t, "not a directory")
	for _, tc := range []struct{ name, value string }{
		{"REDIS_URL", "foo"}, {"REDIS_URL", "redis://127.0.0.1:1/abc"}, {"REDIS_URL", "redis+sentinel://h"},
		{"REDIS_URL", "redis://:p%zzhunter2@h"}, {"REDIS_URL", "redis://u:hunter2/x@h"},
		{"LISTEN_ADDR", "127.0.0.1:99999"}, {"LISTEN_ADDR", "127.0.0.1:-1"}, {"LISTEN_ADDR", "127.0.0.1"},
		{"SIH_API_KEY", "hunter2\nx"}, {"API_TOKEN", "hunter2\x00"}, {"READ_TOKENS", "hunter2\nhunter2"},
		{"READ_TOKENS", ",,"}, {"READ_TOKENS", " "},
		{"DATA_DIR", file}, {"DATA_DIR", filepath.Join(file, "below")},
		{"LOG_LEVEL", "error+4"}, {"LOG_LEVEL", "loud"},
	} {
		said := priced([]string{"--games", "zz"}, env(tc.name, tc.value))
		if !strings.Contains(said, tc.name+":") || !strings.Contains(said, "GAMES:") {
			t.Errorf("%s=%q: got %q, want both mistakes", tc.name, tc.value, said)
		}
		if strings.Contains(said, "hunter2") {
			t.Errorf("%s=%q: the secret is shown: %q", tc.name, tc.value, said)
		}
	}
	for _, tc := range []struct{ name, value string }{
		{"REDIS_URL", "rediss://u:p@h/1"}, {"LISTEN_ADDR", "127.0.0.1:0"}, {"LISTEN_ADDR", "[::1]:8080"}, {"READ_TOKENS", "a, b"},
		{"DATA_DIR", t.TempDir()}, {"DATA_DIR", filepath.Join(t.TempDir(), "not", "there")}, {"LOG_LEVEL", "WARN"}, {"LOG_LEVEL", "off"},
	} {
		if said := priced(nil, env(tc.name, tc.value)); said != "" {
			t.Errorf("%s=%q: got %q, want no mistake", tc.name, tc.value, said)
		}
	}
}

// A list of tokens that is set and empty would leave open what it guards.
func TestEmptySecretFileIsAMistake(t *testing.T) {
	for _, name := range []string{"READ_TOKENS", "API_TOKEN"} {
		if said := priced(nil, env(name+"_FILE", write(t, "\n"))); !strings.Contains(said, name+"_FILE:") {
			t.Errorf("empty file: got %q, want that %s_FILE is named", said, name)
		}
	}
	if said := priced(nil, env("READ_TOKENS_FILE", write(t, "one\ntwo\n"))); !strings.Contains(said, "READ_TOKENS:") {
		t.Errorf("a token a line: got %q, want a mistake: it would be one token that nobody can send", said)
	}
}

// TestHelpGivesAnExampleThatIsTaken: the line that --help gives for a settings file
// is one that the program understands.
func TestHelpGivesAnExampleThatIsTaken(t *testing.T) {
	var v sample
	var out bytes.Buffer
	if err := declare(&v).Load([]string{"--help"}, env(), &out); !errors.Is(err, ErrDone) {
		t.Fatal(err)
	}
	const example = "how_many: 3"
	if !strings.Contains(out.String(), "one key each: "+example) {
		t.Errorf("help lacks the example %q:\n%s", example, out.String())
	}
	if err := declare(&v).Load([]string{"--config", write(t, example)}, env(), nil); err != nil {
		t.Errorf("the example is not taken: %v", err)
	}
}

// What another program has may be in the file that serves both.
func TestElsewhere(t *testing.T) {
	var v sample
	s := declare(&v)
	s.Elsewhere("THEIRS", "THEIR_KEY", "HOW_MANY")
	err := s.Load([]string{"--config", write(t, "theirs: 1\ntheir-key_file: x\nhow_many: 4\nnobodys: 1\n")}, env(), nil)
	if err == nil || !strings.Contains(err.Error(), "nobodys:") || strings.Contains(err.Error(), "their") || v.n != 4 {
		t.Errorf("got %v and %d, want nobodys refused alone, and 4", err, v.n)
	}
}
