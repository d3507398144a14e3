package skinsback

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"skinarb/fetch"
	"skinarb/internal/scan"
	"skinarb/internal/sendonce"
)

// DefaultURL is where the API lives.
const DefaultURL = "https://skinsback.com/api.php"

// Auth is how requests prove who sends them.
type Auth string

// The ways that SkinsBack accepts. Headers carry the secret itself, and are
// what its documentation recommends; a signature keeps it at home.
const (
	AuthHeaders   Auth = "headers"
	AuthSignature Auth = "signature"
)

// Recipient is the Steam account that purchases are sent to: the two parameters
// of its trade URL.
type Recipient struct {
	Partner string // decimal account id
	Token   string
}

// Config describes an account. ClientID and ClientSecret are needed, the rest
// has defaults.
type Config struct {
	URL          string // empty means DefaultURL
	ClientID     string
	ClientSecret string
	Auth         Auth // empty means AuthHeaders
	// FormBody sends parameters as a form with PHP's nested keys, not as JSON.
	FormBody bool
	// FullList has Pull read the list of all lots instead of the grouped one; see
	// PullLots.
	FullList bool

	Recipient Recipient // needed to buy

	// Budget paces the requests; nil means no pacing.
	Budget fetch.Budget

	// Timeout bounds one request from its first byte to the last of its answer,
	// 0 means 30 s. ListTimeout does the same for price lists, which are large;
	// 0 means 5 min. Waiting for a permit is bounded by the same time again.
	Timeout     time.Duration
	ListTimeout time.Duration

	// MaxListBody and MaxBody bound an answer after inflating, in bytes; 0 means
	// 512 MiB for price lists and 4 MiB for everything else. A search may be
	// eight times MaxBody, since it lists every lot of a name.
	MaxListBody int64
	MaxBody     int64

	// Dial and TLS replace how connections are made; nil means the ordinary way.
	// What must hold of purchases (no reuse, HTTP/1.1, no redirects) stays.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	TLS  *tls.Config

	Now func() time.Time // nil means time.Now
	Log *slog.Logger     // where oddities of an account go; nil means nowhere
}

// Client speaks the API, and is a fetch.Source and an execution.Market. Its
// methods may be called concurrently; how many requests run at once is the
// caller's choice.
type Client struct {
	cfg        Config
	hidden     secrets
	reads      *http.Client
	purchases  *http.Client
	retryAfter time.Duration // first pause before a read is tried again
	names      *scan.Tables  // that price lists had
}

// New checks cfg and names every mistake in it. It sends nothing.
func New(cfg Config) (*Client, error) {
	cfg.URL = cmp.Or(cfg.URL, DefaultURL)
	cfg.Auth = cmp.Or(cfg.Auth, AuthHeaders)
	var errs []error
	if u, err := url.Parse(cfg.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		errs = append(errs, errors.New("URL must be an http or https address"))
	}
	if !headerValue(cfg.ClientID) {
		errs = append(errs, errors.New("ClientID must be printable ASCII without spaces, and not empty"))
	}
	if !headerValue(cfg.ClientSecret) {
		errs = append(errs, errors.New("ClientSecret must be printable ASCII without spaces, and not empty"))
	}
	if cfg.Auth != AuthHeaders && cfg.Auth != AuthSignature {
		errs = append(errs, fmt.Errorf("Auth is %q: it is one of headers, signature", cfg.Auth))
	}
	if cfg.Timeout < 0 || cfg.ListTimeout < 0 || cfg.MaxListBody < 0 || cfg.MaxBody < 0 {
		errs = append(errs, errors.New("Timeout, ListTimeout, MaxListBody and MaxBody must not be negative"))
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("skinsback: %w", errors.Join(errs...))
	}
	cfg.Timeout = cmp.Or(cfg.Timeout, 30*time.Second)
	cfg.ListTimeout = cmp.Or(cfg.ListTimeout, 5*time.Minute)
	cfg.MaxListBody = cmp.Or(cfg.MaxListBody, 512<<20)
	cfg.MaxBody = cmp.Or(cfg.MaxBody, 4<<20)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext
	}
	c := &Client{
		cfg: cfg, retryAfter: 500 * time.Millisecond, names: &scan.Tables{},
		hidden: newSecrets(cfg.ClientSecret, cfg.Recipient.Token),
	}
	c.reads = &http.Client{Transport: transport(cfg), CheckRedirect: stay}
	c.purchases = sendonce.New(cfg.Dial, cfg.TLS)
	return c, nil
}

// headerValue tells whether s can stand in a header.
func headerValue(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// dialTimeout bounds how long a connection may take, and its TLS after it.
const dialTimeout = 10 * time.Second

// transport makes what carries reads.
func transport(cfg Config) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	// net/http goes on dialling when the request was given up.
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		return cfg.Dial(ctx, network, addr)
	}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dial,
		TLSClientConfig:        cfg.TLS,
		TLSHandshakeTimeout:    dialTimeout,
		Protocols:              &protocols,
		DisableCompression:     true, // send inflates, faster
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// stay makes a redirect an answer like any other.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Close closes connections that are kept open between requests.
func (c *Client) Close() { c.reads.CloseIdleConnections() }
