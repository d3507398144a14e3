package alert

import (
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestCleanText(t *testing.T) {
	c := newCleaner([]string{"key", "key-long", "a b/c", "", "multi\u200bline"})
	for _, x := range []struct{ text, want string }{
		{"plain", "plain"},
		{"  two\nlines\n", "two\nlines"},
		{"a\tb\x00c\x1b[31md\x7f", "a b c [31md"},
		{"turned \u202eround\u2066 and\u2028split", "turned round and split"},
		{"bad \xff\xfe bytes", "bad ?? bytes"},
		{"the key, key-long", "the •••, •••"},
		{"k\u200bey k\u00ADey", "••• •••"},
		{"?q=a+b%2Fc and a%20b%2Fc and a b/c", "?q=••• and ••• and •••"},
		{"multiline", "•••"},
		{"AK-47 | Redline ★ 日本", "AK-47 | Redline ★ 日本"},
	} {
		if got := c.text(x.text, 100); got != x.want {
			t.Errorf("text(%q): got %q, want %q", x.text, got, x.want)
		}
	}
	if got, want := c.text("абвгд", 4), "абв…"; got != want {
		t.Errorf("cut: got %q, want %q", got, want)
	}
	if got := c.text("12key", 4); strings.Contains(got, "k") {
		t.Errorf("cut: got %q, which shows a part of a secret", got)
	}
}

// TestSecretsNeverAppear: wherever secrets stand in an alert, and however they
// overlap, no message to anybody contains one.
func TestSecretsNeverAppear(t *testing.T) {
	targets := mustParse(t, discordURL, telegramURL, slackURL, webhookURL)
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[abAB01+/=_&<*|-]{8,30}`)
		secrets := rapid.SliceOfN(secret, 1, 4).Draw(t, "secrets")
		if rapid.Bool().Draw(t, "nested") {
			secrets = append(secrets, secrets[0]+"x1", secrets[0][1:])
		}
		for _, target := range targets {
			secrets = append(secrets, target.secrets()...)
		}
		piece := rapid.OneOf(
			rapid.SampledFrom(secrets),
			rapid.Map(rapid.SampledFrom(secrets), url.QueryEscape),
			rapid.Map(rapid.SampledFrom(secrets), func(s string) string { return s[:len(s)/2] }),
			rapid.Map(rapid.SampledFrom(secrets), func(s string) string { return s[:3] + "\u200b" + s[3:] }),
			rapid.String(),
		)
		draw := func(name string) string {
			return strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, name), rapid.SampledFrom([]string{"", " ", "\n"}).Draw(t, "between"))
		}
		a := newCleaner(secrets).alert(Alert{Kind: draw("kind"), Market: draw("market"), Order: draw("order"), Text: draw("text")})
		for name, field := range map[string]string{"kind": a.Kind, "market": a.Market, "order": a.Order, "text": a.Text} {
			for _, s := range secrets {
				if strings.Contains(field, s) || strings.Contains(field, url.QueryEscape(s)) {
					t.Fatalf("%s %q shows the secret %q", name, field, s)
				}
			}
			if !utf8.ValidString(field) || strings.ContainsFunc(field, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }) {
				t.Fatalf("%s is not plain: %q", name, field)
			}
		}
		for _, target := range targets {
			body, err := target.body("skinarb", letter{Alert: a}, 0)
			if err != nil {
				t.Fatalf("%s: %v", target, err)
			}
			for _, s := range secrets {
				if strings.Contains(string(body), s) {
					t.Fatalf("the message to %s shows the secret %q: %s", target, s, body)
				}
			}
		}
	})
}
