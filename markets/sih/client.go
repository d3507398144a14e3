package sih

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"skinarb/execution"
	"skinarb/fetch"
	"skinarb/internal/scan"
	"skinarb/internal/sendonce"
	"skinarb/pricing"
)

// DefaultURL is where the API lives.
const DefaultURL = "https://api.sih.market/api/v1"

// Defaults of Config.
const (
	DefaultTimeout         = 30 * time.Second
	DefaultCatalogTimeout  = 3 * time.Minute
	DefaultMaxCatalogBytes = 512 << 20
)

// maxAnswer bounds an inflated answer that is no catalog, in bytes.
const maxAnswer = 4 << 20

// Recipient is the Steam account that receives what is bought: both parts of
// its trade URL.
type Recipient struct {
	SteamID string // SteamID64
	Token   string // the trade token; a secret
}

// Config describes an account at SIH Market. Only APIKey is required, and
// Recipient for buying.
type Config struct {
	URL       string // base URL; empty means DefaultURL
	APIKey    string // the project's key; a secret
	Recipient Recipient

	// Budget paces the requests of the account; nil means no pacing.
	Budget fetch.Budget

	Timeout         time.Duration // of one request, its wait for a permit not counted; 0 means DefaultTimeout
	CatalogTimeout  time.Duration // the same for get-items; 0 means DefaultCatalogTimeout
	MaxCatalogBytes int64         // of a catalog, inflated; 0 means DefaultMaxCatalogBytes

	Now func() time.Time // nil means time.Now

	// Dial opens connections; nil means TCP. Tests put their own network here.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Client is an account at SIH Market. Make it with New.
type Client struct {
	cfg       Config
	url       *url.URL
	reads     *http.Client
	purchases *http.Client
	hidden    secrets
	firstWait time.Duration // before a read's second try
	names     *scan.Tables  // that catalogs had
}

var (
	_ fetch.Source         = (*Client)(nil)
	_ execution.Market     = (*Client)(nil)
	_ execution.Bookkeeper = (*Client)(nil)
)

// appIDs are SIH's games by Steam's app id.
var appIDs = map[pricing.Game]int{pricing.CS2: 730, pricing.Rust: 252490, pricing.TF2: 440}

// New makes a client. It reports every mistake in cfg at once and sends nothing.
func New(cfg Config) (*Client, error) {
	cfg.URL = strings.TrimRight(cmp.Or(cfg.URL, DefaultURL), "/")
	cfg.Timeout = cmp.Or(cfg.Timeout, DefaultTimeout)
	cfg.CatalogTimeout = cmp.Or(cfg.CatalogTimeout, DefaultCatalogTimeout)
	cfg.MaxCatalogBytes = cmp.Or(cfg.MaxCatalogBytes, DefaultMaxCatalogBytes)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{}).DialContext
	}

	var errs []error
	base, err := url.Parse(cfg.URL)
	if err != nil || base.Scheme != "https" && base.Scheme != "http" || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		errs = append(errs, errors.New("the URL is not a plain http or https address"))
	}
	if cfg.APIKey == "" || strings.ContainsFunc(cfg.APIKey, func(r rune) bool { return r <= ' ' || r > '~' }) {
		errs = append(errs, errors.New("the APIKey is empty or has characters that no header can carry"))
	}
	if cfg.Timeout < 0 || cfg.CatalogTimeout < 0 || cfg.MaxCatalogBytes < 0 {
		errs = append(errs, errors.New("one of Timeout, CatalogTimeout and MaxCatalogBytes is negative"))
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("sih: %w", errors.Join(errs...))
	}

	return &Client{
		cfg:       cfg,
		url:       base,
		reads:     readClient(cfg.Dial),
		purchases: sendonce.New(cfg.Dial, nil),
		hidden:    newSecrets(cfg.APIKey, cfg.Recipient.Token),
		firstWait: 500 * time.Millisecond,
		names:     &scan.Tables{},
	}, nil
}

// Market names the market.
func (c *Client) Market() pricing.Market { return pricing.SIH }

// appID gives the app id that requests name the game by.
func appID(g pricing.Game) (int, error) {
	id, ok := appIDs[g]
	if !ok {
		return 0, fmt.Errorf("sih: nothing of %q is sold there", g)
	}
	return id, nil
}
