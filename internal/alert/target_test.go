package alert

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

const (
	discordURL  = "https://discord.com/api/webhooks/123456789012345678/dIsCoRdToKeN-aaaaaaaaaaaa"
	telegramURL = "https://api.telegram.org/bot987654321:tElEgRaMtOkEn-bbbbbbbb/sendMessage?chat_id=-100200300"
	slackURL    = "https://hooks.slack.com/services/T0000/B0000/sLaCkToKeNcccccccccc"
	webhookURL  = "https://hooks.example.net/in/wEbHoOkToKeNdddddddd?key=kEyInAnAddressEeee"
)

func mustParse(t testing.TB, urls ...string) []Target {
	t.Helper()
	targets, err := Parse(urls)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return targets
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{discordURL, "discord at discord.com"},
		{"https://discordapp.com/api/webhooks/1/x", "discord at discordapp.com"},
		{"https://discord.com/api/v10/webhooks/1/x?thread_id=5", "discord at discord.com"},
		{telegramURL, "telegram at api.telegram.org"},
		{"https://api.telegram.org/bot1:x/sendMessage?chat_id=@floor&message_thread_id=7", "telegram at api.telegram.org"},
		{slackURL, "slack at hooks.slack.com"},
		{webhookURL, "webhook at hooks.example.net"},
		{" https://user:password@example.net:8443/ ", "webhook at example.net:8443"},
		{"http://localhost:9000/x", "webhook at localhost:9000"},
		{"http://127.0.0.7/x", "webhook at 127.0.0.7"},
		{"http://[::1]:9000/x", "webhook at [::1]:9000"},
	} {
		targets, err := Parse([]string{c.url})
		if err != nil || len(targets) != 1 {
			t.Errorf("Parse(%q): got %v, %v, want one target", c.url, targets, err)
			continue
		}
		for _, format := range []string{"%v", "%s", "%+v"} {
			if got := fmt.Sprintf(format, targets[0]); got != c.want {
				t.Errorf("Parse(%q) printed with %s: got %q, want %q", c.url, format, got, c.want)
			}
		}
	}
}

func TestParseMistakes(t *testing.T) {
	urls := []string{
		"",
		"SECRET",
		"SECRET:SECRET",
		"https:SECRET",
		"https:///SECRET",
		"https://:443/SECRET",
		"https://host/%zzSECRET",
		"ftp://host/SECRET",
		"http://example.net/SECRET",
		"http://127.0.0.1.example.net/SECRET",
		"http://user:SECRET@10.0.0.1/",
		"https://discord.com/SECRET",
		"https://discord.com/api/webhooks/1",
		"https://discord.com/api/webhooks/1/SECRET/slack",
		"https://api.telegram.org/botSECRET/sendMessage",
		"https://api.telegram.org/botSECRET/sendMessage?chat_id=SECRET",
		"https://api.telegram.org/botSECRET/sendMessage?chat_id=1&chat_id=2",
		"https://api.telegram.org/botSECRET/sendMessage?chat_id=1&parse_mode=HTML",
		"https://api.telegram.org/botSECRET/sendMessage?chat_id=1&message_thread_id=SECRET",
		"https://api.telegram.org/botSECRET/sendMessage?chat_id=%zzSECRET",
		"https://api.telegram.org/botSECRET/getUpdates?chat_id=1",
		"https://hooks.slack.com/workflows/SECRET",
	}
	targets, err := Parse(append(urls, slackURL))
	if err == nil || targets != nil {
		t.Fatalf("Parse: got %v, %v, want an error and no targets", targets, err)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(urls) {
		t.Errorf("Parse: got %d mistakes, want one for each of %d:\n%v", len(lines), len(urls), err)
	}
	for i, line := range lines {
		if want := fmt.Sprintf("alert address %d: ", i+1); !strings.HasPrefix(line, want) {
			t.Errorf("mistake %d: got %q, want it to begin with %q", i+1, line, want)
		}
	}
	if strings.Contains(err.Error(), "SECRET") {
		t.Errorf("an error shows what is secret:\n%v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		discordURL, telegramURL, slackURL, webhookURL, "http://localhost", "https://api.telegram.org/bot1:x/sendMessage?chat_id=",
		"https://discord.com/api/webhooks/1", "https://user:pw@host", "https://[::1", "//", "https:/", "%", "x:",
	} {
		f.Add(s)
	}
	const mark = "mArKeDsEcReT"
	f.Fuzz(func(t *testing.T, s string) {
		for _, address := range []string{s, s + "/" + mark, s + mark, s + "?key=" + mark, s + "#" + mark} {
			targets, err := Parse([]string{address})
			shown := fmt.Sprint(targets, err)
			if u, bad := url.Parse(strings.TrimSpace(address)); bad == nil && strings.Contains(u.Host, mark) {
				continue // a host may be shown
			}
			if !strings.Contains(s, mark) && strings.Contains(shown, mark) {
				t.Errorf("Parse(%q) shows more than scheme and host: %s", address, shown)
			}
			if err != nil {
				continue
			}
			again, err := Parse([]string{targets[0].url.String()})
			if err != nil && targets[0].kind != telegram { // its chat is taken out of the address
				t.Errorf("Parse(%q) gives an address that it does not take: %v", address, err)
			}
			if err == nil && again[0].kind != targets[0].kind {
				t.Errorf("Parse(%q) read again: got %v, want %v", address, again[0], targets[0])
			}
		}
	})
}
