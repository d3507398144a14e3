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
