package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

func noEnv(string) (string, bool) { return "", false }

// watched tells of everything written to it.
type watched struct {
	mu   sync.Mutex
	text bytes.Buffer
	news chan struct{}
}

func newWatched() *watched { return &watched{news: make(chan struct{}, 1)} }

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case w.news <- struct{}{}:
	default:
	}
	return w.text.Write(p)
}

// wait returns the first match of a pattern as soon as it has been written.
func (w *watched) wait(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for {
		w.mu.Lock()
		match := re.FindString(w.text.String())
		w.mu.Unlock()
		if match != "" {
			return match
		}
		select {
		case <-w.news:
		case <-t.Context().Done():
			t.Fatalf("nothing like %q was written", pattern)
		}
	}
}

func TestRunServesUntilTold(t *testing.T) {
	catalog := filepath.Join(t.TempDir(), "prices.tsv")
	if err := os.WriteFile(catalog, []byte("AK-47 | Redline (Field-Tested)\t20\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"MARKETSIM_CATALOG": catalog, "MARKETSIM_LISTEN": "ignored:1", "MARKETSIM_BALANCE": "50.5"}
	ctx, cancel := context.WithCancel(t.Context())
	out, status := newWatched(), make(chan int, 1)
	go func() {
		status <- run(ctx, []string{"--listen", "127.0.0.1:0", "--mishaps=false"}, func(k string) (string, bool) { v, ok := env[k]; return v, ok }, out, io.Discard)
	}()
	base := strings.TrimPrefix(out.wait(t, `export SIH_URL=\S+`), "export SIH_URL=")
	key := strings.TrimPrefix(out.wait(t, `export SIH_API_KEY=\S+`), "export SIH_API_KEY=")

	body := `{"steamId":"76561198000000000","token":"t","amount":50.5,"item":"AK-47 | Redline (Field-Tested)","customId":"ord-1"}`
	req, _ := http.NewRequest(http.MethodPost, base+"/create-order", strings.NewReader(body))
	req.Header.Set("apikey", key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("create-order: status %d", resp.StatusCode)
	}
	out.wait(t, `sih +#700001  \$\d+\.\d+  AK-47 \| Redline \(Field-Tested\)  ord-1`)
	cancel()
	if got := <-status; got != 0 {
		t.Errorf("exit status %d, want 0", got)
	}
}

func TestRunRefusesWrongSettings(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string // in what is said
	}{
		{[]string{"--speed=0", "--items=-1", "--balance=0", "--tick=-1s", "--move=0", "--listen=here"},
			[]string{"SPEED:", "ITEMS:", "BALANCE:", "TICK:", "MOVE:", "LISTEN:"}},
		{[]string{"--catalog=/does/not/exist"}, []string{"CATALOG:", "no such file"}},
		{[]string{"--partner=ftp://a", "--hostile=very"}, []string{"PARTNER:", "HOSTILE:"}},
		{[]string{"--balance=much"}, []string{"BALANCE:", "much"}},
		{[]string{"--nonsense"}, []string{"nonsense"}},
	} {
		var said bytes.Buffer
		if got := run(t.Context(), c.args, noEnv, io.Discard, &said); got != 2 {
			t.Errorf("%v: exit status %d, want 2", c.args, got)
		}
		for _, want := range c.want {
			if !strings.Contains(said.String(), want) {
				t.Errorf("%v: said %q, want %q in it", c.args, &said, want)
			}
		}
	}
}

// TestRunAsksThePartner names a partner and looks at what the control API says.
func TestRunAsksThePartner(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out, status := newWatched(), make(chan int, 1)
	go func() {
		args := []string{"--listen", "127.0.0.1:0", "--items=10", "--partner=http://127.0.0.1:1/partner/sih", "--hostile=true"}
		status <- run(ctx, args, noEnv, out, io.Discard)
	}()
	out.wait(t, `export SIH_DEPOSIT_API_KEY=\S+`)
	base := strings.TrimPrefix(out.wait(t, `Control: http[^/]*//[^/]+/sim`), "Control: ")
	resp, err := http.Get(base + "/partner")
	if err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	for _, want := range []string{"http://127.0.0.1:1/partner/sih/create-purchase", "http://127.0.0.1:1/partner/sih/get-purchase", `"orders":0`} {
		if err != nil || !strings.Contains(string(said), want) {
			t.Errorf("got %s, %v, want %s in it", said, err, want)
		}
	}
	cancel()
	if got := <-status; got != 0 {
		t.Errorf("exit status %d, want 0", got)
	}
}

func TestRunCannotListen(t *testing.T) {
	var said bytes.Buffer
	args := []string{"--listen=192.0.2.1:1", "--items=10"} // an address nobody has
	if got := run(t.Context(), args, noEnv, io.Discard, &said); got != 1 || !strings.HasPrefix(said.String(), "marketsim: listen tcp") {
		t.Errorf("exit status %d, said %q, want 1 and the reason, after the name once", got, &said)
	}
}

func TestHelpAndVersion(t *testing.T) {
	var help, version bytes.Buffer
	if got := run(t.Context(), []string{"--help"}, noEnv, &help, io.Discard); got != 0 {
		t.Errorf("--help: exit status %d", got)
	}
	for _, want := range []string{"--listen", "127.0.0.1:8090", "$MARKETSIM_SEED", "default"} {
		if !strings.Contains(help.String(), want) {
			t.Errorf("--help does not mention %s", want)
		}
	}
	if got := run(t.Context(), []string{"--version"}, noEnv, &version, io.Discard); got != 0 || !strings.HasPrefix(version.String(), "marketsim ") {
		t.Errorf("--version: exit status %d, %q", got, &version)
	}
}
