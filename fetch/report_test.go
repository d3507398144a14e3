package fetch

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestPercentiles(t *testing.T) {
	var d durations
	if got := d.percentile(50); got != 0 {
		t.Errorf("p50 of nothing: got %s, want 0", got)
	}
	for i := range 100 { // 36..99 ms are the last 64
		d.add(time.Duration(i) * time.Millisecond)
		if i == 0 && d.percentile(95) != 0 {
			t.Errorf("p95 of one: got %s, want 0s", d.percentile(95))
		}
	}
	for p, want := range map[int]time.Duration{1: 36, 50: 67, 95: 96, 100: 99} {
		if got := d.percentile(p); got != want*time.Millisecond {
			t.Errorf("p%d: got %s, want %dms", p, got, want)
		}
	}
}

func TestShortErrorsTellNoSecrets(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{errors.New("line\none\x00"), "line one "},
		{
			fmt.Errorf("pull: %w", &url.Error{Op: "Get", URL: "https://u:secret@h:1/v1?sign=secret", Err: errors.New("timeout")}),
			`pull: Get "https://h:1": timeout`,
		},
		{errors.New("wss://h/secret#secret closed"), "wss://h closed"},
		{errors.New("bad \xff byte"), "bad ? byte"},
	} {
		if got := shortError(tc.err); got != tc.want {
			t.Errorf("%v: got %q, want %q", tc.err, got, tc.want)
		}
	}
	long := shortError(errors.New(strings.Repeat("é", 5000)))
	if len(long) > maxError+len("…") || !utf8.ValidString(long) {
		t.Errorf("a long error: got %d bytes, valid %v, want at most %d", len(long), utf8.ValidString(long), maxError+3)
	}
}
