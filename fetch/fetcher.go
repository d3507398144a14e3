package fetch

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"skinarb/pricing"
)

// Leaser lets one of several processes fetch a feed at a time. It saves
// requests; what keeps two processes from overwriting each other is the version
// that Store.Publish checks.
type Leaser interface {
	// Lease waits until this process leads f. The context that it gives ends
	// with ctx, or as soon as the process may lead no longer; release gives the
	// lead away and must be called.
	Lease(ctx context.Context, f pricing.Feed) (led context.Context, release func(), err error)
}

// Config is what a Fetcher needs. The budget is not in it: each market's client
// takes its own permits.
type Config struct {
	Sources []Source
	Games   []pricing.Game // a source skips games that its market does not know
	Store   Store
	Leaser  Leaser // nil: this process leads every feed

	Interval time.Duration // pause between pulls of one feed; 0 means a minute
	MaxAge   time.Duration // older catalogs are reported stale; 0 means five minutes

	Now func() time.Time // nil means time.Now
	Log *slog.Logger     // nil discards

	// Alert tells the operator that a catalog is held, once per hold. It may take
	// as long as its context lives, ten seconds. Nil means nobody is told.
	Alert func(ctx context.Context, text string)

	// Observe hears of every pull, for metrics. It must be fast and safe for
	// concurrent use. Nil means nobody listens.
	Observe func(Observation)
}

// Outcome is what became of a pull.
type Outcome string

// The outcomes of a pull.
const (
	Published Outcome = "published"
	Withheld  Outcome = "held"
	Outdated  Outcome = "outdated" // another process published a younger one meanwhile
	Failed    Outcome = "failed"
)

// Observation is one pull as metrics see it.
type Observation struct {
	Feed     pricing.Feed
	Outcome  Outcome
	Duration time.Duration // of the pull alone
	Bytes    int64         // of the body, inflated
	Items    int
	Changed  int // listings set and items gone, when published
	Rejected map[string]int
}

// Fetcher keeps the catalogs of all its feeds in force. Make one with New.
type Fetcher struct {
	cfg   Config
	loops []*loop
}

// New gives a fetcher of every game in c.Games that a source knows. Games that
// one does not know are skipped, and the log says so.
func New(c Config) *Fetcher {
	if c.Interval <= 0 {
		c.Interval = time.Minute
	}
	if c.MaxAge <= 0 {
		c.MaxAge = 5 * time.Minute
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	f := &Fetcher{cfg: c}
	for _, src := range c.Sources {
		for _, g := range c.Games {
			if !slices.Contains(src.Games(), g) {
				c.Log.Info("skipped: the market does not sell this game", "market", src.Market(), "game", g)
				continue
			}
			f.loops = append(f.loops, newLoop(&f.cfg, src, pricing.Feed{Market: src.Market(), Game: g}))
		}
	}
	return f
}

// Feeds lists what the fetcher pulls.
func (f *Fetcher) Feeds() []pricing.Feed {
	feeds := make([]pricing.Feed, len(f.loops))
	for i, l := range f.loops {
		feeds[i] = l.feed
	}
	return feeds
}

// Run pulls every feed in a loop of its own until ctx ends, and returns when all
// of them have stopped. It is called once.
func (f *Fetcher) Run(ctx context.Context) {
	var running sync.WaitGroup
	for _, l := range f.loops {
		running.Go(func() { l.run(ctx) })
	}
	running.Wait()
}
