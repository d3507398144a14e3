package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Open connects to the Redis that a URL names:
//
//	redis://user:password@host:6379/0
//	rediss://user:password@host:6379/0                 over TLS
//	redis+cluster://user:password@h1:6379,h2:6379      any nodes of a cluster
//	redis+sentinel://user:password@h1:26379,h2:26379/master-name?db=0
//
// The last two take ?tls=true. Ports may be left out. User and password are
// those of the Redis servers; a sentinel's own password is
// ?sentinel_password=. Errors name the servers and never the password.
func Open(ctx context.Context, rawURL string) (*Store, error) {
	o, err := parseURL(rawURL)
	if err != nil {
		return nil, fmt.Errorf("redis url: %w", err)
	}
	s := newStore(func() redis.UniversalClient { return redis.NewUniversalClient(o) })
	if o.MasterName != "" {
		s.loses = "a sentinel may put a replica in the master's place that has not heard of the last writes"
	}
	if err := s.Ping(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("reach redis at %s: %w", strings.Join(o.Addrs, ", "), err), s.Close())
	}
	return s, nil
}

// silent drops what the client would print by itself: it returns the same as
// errors, and what to log is for those who get them.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

func init() { redis.SetLogger(silent{}) }

// options are what every connection has: bounded waits, and contexts that end
// them sooner.
func options() *redis.UniversalOptions {
	return &redis.UniversalOptions{
		DialTimeout:           2 * time.Second,
		DialerRetries:         1,
		ReadTimeout:           3 * time.Second,
		WriteTimeout:          3 * time.Second,
		MaxRetries:            2, // every command here is safe to repeat
		ContextTimeoutEnabled: true,
		DisableIdentity:       true,
		MaintNotificationsConfig: &maintnotifications.Config{
			Mode: maintnotifications.ModeDisabled,
		},
	}
}

// CheckURL tells what is wrong with a URL that Open would not understand. Nothing
// is connected to, and the error quotes no part of the URL.
func CheckURL(rawURL string) error {
	_, err := parseURL(rawURL)
	return err
}

// parseURL reads the forms that Open documents. Its errors quote no part of the
// URL: of one whose password has a / or a ? in it, any part may hold the password.
func parseURL(raw string) (*redis.UniversalOptions, error) {
	scheme, rest, _ := strings.Cut(raw, "://")
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	userinfo, hosts := "", authority
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		userinfo, hosts = authority[:i+1], authority[i+1:]
	}
	// net/url knows one host: it reads the rest, the hosts are ours.
	u, err := url.Parse("redis://" + userinfo + "host" + tail)
	if err != nil {
		return nil, errors.New("it cannot be read; special characters of a password must be percent-encoded")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errors.New("what follows the ? cannot be read")
	}

	o := options()
	o.Username = u.User.Username()
	o.Password, _ = u.User.Password()
	path := strings.Trim(u.Path, "/")
	db, port, secure := path, "6379", query.Get("tls")
	allowed := []string{"tls"}
	switch scheme {
	case "redis", "rediss":
		allowed = nil
		secure = strconv.FormatBool(scheme == "rediss")
		if strings.Contains(hosts, ",") {
			return nil, fmt.Errorf("several hosts need redis+cluster:// or redis+sentinel://, not %s://", scheme)
		}
	case "redis+cluster":
		o.IsClusterMode = true
		if path != "" {
			return nil, errors.New("a cluster has no database numbers: nothing may follow the hosts")
		}
	case "redis+sentinel":
		allowed = append(allowed, "db", "sentinel_password")
		o.MasterName, o.SentinelPassword, db, port = path, query.Get("sentinel_password"), query.Get("db"), "26379"
		if path == "" {
			return nil, errors.New("a sentinel URL ends in the name of the master: redis+sentinel://host:26379/name")
		}
	default:
		return nil, errors.New("it begins with redis://, rediss://, redis+cluster:// or redis+sentinel://")
	}
	for name := range query {
		if !slices.Contains(allowed, name) {
			if len(allowed) == 0 {
				return nil, fmt.Errorf("nothing is known after the ? of %s://", scheme)
			}
			return nil, fmt.Errorf("after the ? only %s are known", strings.Join(allowed, ", "))
		}
	}
	if db != "" {
		if o.DB, err = strconv.Atoi(db); err != nil || o.DB < 0 {
			return nil, errors.New("what names the database is not its number")
		}
	}
	for host := range strings.SplitSeq(hosts, ",") {
		addr, err := withPort(host, port)
		if err != nil {
			return nil, err
		}
		o.Addrs = append(o.Addrs, addr)
	}
	switch secure {
	case "", "false":
	case "true":
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		if scheme == "rediss" {
			o.TLSConfig.ServerName, _, _ = net.SplitHostPort(o.Addrs[0])
		}
	default:
		return nil, errors.New("tls is true or false")
	}
	return o, nil
}

// withPort gives host:port with the default port where it has none.
func withPort(host, port string) (string, error) {
	h, p, err := net.SplitHostPort(host)
	if err != nil {
		h, p = strings.Trim(host, "[]"), port
	}
	if n, err := strconv.Atoi(p); h == "" || err != nil || n < 1 || n > 65535 {
		return "", errors.New("what follows the :// is no host, or host:port; special characters of a password must be percent-encoded")
	}
	return net.JoinHostPort(h, p), nil
}
