package httpapi

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"skinarb/pricing"
)

// feedJSON is a feed in an answer.
type feedJSON struct {
	Market      pricing.Market    `json:"market"`
	Game        pricing.Game      `json:"game"`
	State       pricing.FeedState `json:"state"`
	Reason      *string           `json:"reason"`
	Items       int               `json:"items"`
	Changed     int               `json:"changed"`
	Rejected    int               `json:"rejected"`
	LastSuccess *string           `json:"last_success"`
	AgeMS       *int64            `json:"age_ms"`
	PullP50MS   int64             `json:"pull_ms_p50"`
	PullP95MS   int64             `json:"pull_ms_p95"`
	LastError   *string           `json:"last_error"`
	Version     uint64            `json:"version"`
}

func toFeed(st pricing.FeedStatus, now time.Time, maxAge time.Duration) feedJSON {
	f := feedJSON{
		Market: st.Feed.Market, Game: st.Feed.Game,
		State: st.Judge(now, maxAge), Reason: text(st.Reason),
		Items: st.Items, Changed: st.Changed, Rejected: st.Rejected,
		LastSuccess: instant(st.LastSuccess), LastError: text(st.LastError),
		PullP50MS: st.PullP50.Milliseconds(), PullP95MS: st.PullP95.Milliseconds(),
		Version: st.Version,
	}
	if !st.LastSuccess.IsZero() {
		age := max(0, now.Sub(st.LastSuccess)).Milliseconds()
		f.AgeMS = &age
	}
	return f
}

// statuses gives the status of every feed: the configured ones in their order,
// then those that only other processes have.
func (s *Server) statuses() []pricing.FeedStatus {
	known := slices.Clone(s.cfg.Prices.Statuses())
	slices.SortFunc(known, func(a, b pricing.FeedStatus) int { return cmp.Compare(a.Feed.String(), b.Feed.String()) })
	var out []pricing.FeedStatus
	for _, f := range s.cfg.Feeds {
		i := slices.IndexFunc(known, func(st pricing.FeedStatus) bool { return st.Feed == f })
		if i < 0 {
			out = append(out, pricing.FeedStatus{Feed: f, State: pricing.Down, Reason: "no pull has finished yet"})
			continue
		}
		out = append(out, known[i])
		known = slices.Delete(known, i, i+1)
	}
	return append(out, known...)
}

// getFeeds answers GET /v1/feeds.
func (s *Server) getFeeds(c *fiber.Ctx, _ params) error {
	now := s.now()
	feeds := []feedJSON{}
	for _, st := range s.statuses() {
		feeds = append(feeds, toFeed(st, now, s.cfg.MaxQuoteAge))
	}
	return writeValue(c, map[string]any{"feeds": feeds})
}

// postRelease answers POST /v1/feeds/{market}/{game}/release. Only a feed that
// holds a catalog is released: a release kept in store would wave through a
// wrong catalog that nobody has seen yet.
func (s *Server) postRelease(c *fiber.Ctx, _ params) error {
	if err := readCommand(c, &struct{}{}); err != nil {
		return err
	}
	feed, ok := s.pathFeed(c)
	if !ok {
		return problem(codeFeedNotFound, "no such feed is configured")
	}
	i := slices.IndexFunc(s.cfg.Prices.Statuses(), func(st pricing.FeedStatus) bool {
		return st.Feed == feed && st.State == pricing.Held
	})
	if i < 0 {
		return problem(codeNotHeld, "feed %s holds no catalog", feed)
	}
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	if err := s.cfg.Prices.Release(ctx, feed); err != nil {
		return fmt.Errorf("release feed %s: %w", feed, err)
	}
	s.log.Info("held catalog released by the operator", "feed", feed.String())
	return writeValue(c, map[string]any{"market": feed.Market, "game": feed.Game, "released": true})
}

// pathFeed gives the feed that the path names, if there is one.
func (s *Server) pathFeed(c *fiber.Ctx) (pricing.Feed, bool) {
	market, okMarket := pathParam(c, "market")
	game, okGame := pathParam(c, "game")
	feed := pricing.Feed{Market: pricing.Market(market), Game: pricing.Game(game)}
	known := slices.ContainsFunc(s.statuses(), func(st pricing.FeedStatus) bool { return st.Feed == feed })
	return feed, okMarket && okGame && known
}
