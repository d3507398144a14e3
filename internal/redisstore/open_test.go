package redisstore

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestURLs(t *testing.T) {
	for _, tc := range []struct {
		url   string
		addrs string
		user  string
		pass  string
		db    int
		also  string // cluster, master name, tls with its server name
	}{
		{url: "redis://h", addrs: "h:6379"},
		{url: "redis://h:1/2", addrs: "h:1", db: 2},
		{url: "redis://:p%40ss@h", addrs: "h:6379", pass: "p@ss"},
		{url: "redis://u:p@[::1]:7", addrs: "[::1]:7", user: "u", pass: "p"},
		{url: "redis://[::1]", addrs: "[::1]:6379"},
		{url: "rediss://u:p@h", addrs: "h:6379", user: "u", pass: "p", also: "tls h"},
		{url: "redis+cluster://u:p@a:1,b:2", addrs: "a:1 b:2", user: "u", pass: "p", also: "cluster"},
		{url: "redis+cluster://a?tls=true", addrs: "a:6379", also: "cluster tls "},
		{url: "redis+sentinel://a,b:2/main?db=3", addrs: "a:26379 b:2", db: 3, also: "master main"},
	} {
		o, err := parseURL(tc.url)
		if err != nil {
			t.Errorf("%s: %v", tc.url, err)
			continue
		}
		var also []string
		if o.IsClusterMode {
			also = append(also, "cluster")
		}
		if o.MasterName != "" {
			also = append(also, "master "+o.MasterName)
		}
		if o.TLSConfig != nil {
			also = append(also, "tls "+o.TLSConfig.ServerName)
		}
		if got := strings.Join(o.Addrs, " "); got != tc.addrs || o.Username != tc.user || o.Password != tc.pass || o.DB != tc.db || strings.Join(also, " ") != tc.also {
			t.Errorf("%s: got %s, user %q, password %q, db %d, %q; want %+v", tc.url, got, o.Username, o.Password, o.DB, also, tc)
		}
	}
}

// TestCheckURL: what Open would not understand is told without connecting.
func TestCheckURL(t *testing.T) {
	for _, good := range []string{"redis://127.0.0.1:1", "rediss://u:p@h/2", "redis+cluster://a,b?tls=true", "redis+sentinel://h/main"} {
		if err := CheckURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"foo", "redis://127.0.0.1:1/abc", "redis+sentinel://h", "redis://:p%zz@h", "redis://h:99999", "http://h", "redis://h?tls=true"} {
		if err := CheckURL(bad); err == nil {
			t.Errorf("%s: got no error", bad)
		}
	}
}

func TestURLErrorsKeepTheSecret(t *testing.T) {
	const secret = "hunter2"
	for _, url := range []string{
		"", "h:6379", "http://u:" + secret + "@h", secret, "redis://", "redis://u:" + secret + "@",
		"redis://u:" + secret + "@h:x", "redis://u:" + secret + "%zz@h", "redis://u:" + secret + "@h/first", "redis://u:" + secret + "@h/-1",
		"redis://u:" + secret + "@a,b", "redis://u:" + secret + "@h?" + "x=" + secret, "redis://u:" + secret + "/@h",
		"redis+cluster://u:" + secret + "@a/1", "redis+cluster://u:" + secret + "@a?tls=" + "maybe",
		"redis+sentinel://u:" + secret + "@a", "redis+sentinel://u:" + secret + "@a/m?sentinel_password=" + secret + "&db=x",
		// A password that was not percent-encoded ends up in any part.
		"redis://u:" + secret + "/x@h", "redis://u:x/" + secret + "@h", "redis://u:x?" + secret + "@h", "redis://u:" + secret + "#x@h",
		"redis+sentinel://u:" + secret + "/x@h", "redis+cluster://a?tls=" + secret, "redis://u:" + secret, "redis+sentinel://h/m?db=" + secret,
		"redis://u:" + secret + "@127.0.0.1:1", // nobody listens
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		s, err := Open(ctx, url)
		cancel()
		if err == nil {
			_ = s.Close()
			t.Errorf("open %s: got no error", url)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("open %s: the error tells the password: %v", url, err)
		}
	}
}
