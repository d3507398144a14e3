// Package fetch pulls whole catalogs from the markets, checks them, and
// publishes or holds them.
//
// There is one loop for each feed (a market and a game). A round of it is:
//
//  1. take a request from the account's budget, which execution shares;
//  2. pull the catalog; rows that cannot be used are counted and skipped;
//  3. Check it against the one in force: publish it whole, or hold it and keep
//     the last good one in force with its true age;
//  4. write down the feed's status, which says what happened and why.
//
// A round that fails changes no price: the quotes just grow old, and old quotes
// are served with a flag and never traded on.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"skinarb/pricing"
)

// Source is what fetch asks of a market.
type Source interface {
	// Market names the market.
	Market() pricing.Market

	// Games lists the games that the market sells.
	Games() []pricing.Game

	// Pull reads the whole catalog of a game. A row that cannot be used is
	// counted in Rejected; a body that is cut off, garbled, too large or not a
	// catalog at all is an error, never a short catalog. A *PauseError says how
	// long the market wants to be left alone.
	Pull(ctx context.Context, g pricing.Game) (Pull, error)
}

// Pull is one answer of a market. Listings hold one entry per item; their
// Since is zero.
type Pull struct {
	ObservedAt time.Time // when the answer arrived, not when it was decoded
	Listings   []pricing.Listing
	Rejected   map[string]int // rows by reason, a fixed set of short words
	Bytes      int64          // of the body, inflated
}

// PauseError says that the market refused to serve us for now: its rate limit,
// its maintenance, or a block.
type PauseError struct {
	After  time.Duration // at least this long; 0 when the market did not say
	Reason string
}

func (e *PauseError) Error() string {
	return fmt.Sprintf("%s: the market asks to wait %s", e.Reason, e.After)
}

// Class is what a request is for. Of a scarce budget purchases take what they
// need, then status look-ups, then catalogs.
type Class int

// The classes, most important first.
const (
	ForPurchase Class = iota
	ForStatus
	ForCatalog
)

// Budget paces the requests to one market account over all processes that
// share it. Every request takes one permit immediately before it is sent.
type Budget interface {
	// Take waits for a permit, at most until ctx ends.
	Take(ctx context.Context, c Class) error

	// Pause stops all permits of the account for d, in every process: the market
	// said that we are too many.
	Pause(ctx context.Context, d time.Duration) error
}

// Errors of Store.
var (
	// ErrNoCatalog: nothing was ever published for the feed.
	ErrNoCatalog = errors.New("no catalog published yet")
	// ErrSuperseded: another process has published since the version that the
	// change leads from; load the catalog in force and check again.
	ErrSuperseded = errors.New("another catalog was published meanwhile")
)

// Store is where catalogs in force live. Readers see a version whole or not at
// all. Every method is safe for concurrent use and bounds its own wait.
type Store interface {
	// Catalog gives the catalog in force, or ErrNoCatalog.
	Catalog(ctx context.Context, f pricing.Feed) (pricing.Catalog, error)

	// Publish puts c in force and tells the followers, if ch.From is still the
	// version in force (0 for none); else ErrSuperseded. c is the whole catalog
	// and ch what changed: a store may write either.
	Publish(ctx context.Context, c pricing.Catalog, ch pricing.Change) error

	// SetStatus and Statuses keep what is known of each feed.
	SetStatus(ctx context.Context, s pricing.FeedStatus) error
	Statuses(ctx context.Context) ([]pricing.FeedStatus, error)

	// Release asks whoever fetches f to accept the catalog that it holds;
	// TakeRelease tells the fetcher whether that was asked since, once.
	Release(ctx context.Context, f pricing.Feed) error
	TakeRelease(ctx context.Context, f pricing.Feed) (bool, error)
}
