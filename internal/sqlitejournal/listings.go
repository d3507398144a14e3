package sqlitejournal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"skinarb/pricing"
	"skinarb/selling"
)

var _ selling.Journal = Selling{}

// Selling is the selling.Journal in a journal's file. All methods are safe for
// concurrent use.
type Selling struct{ j *Journal }

// Selling gives what we have on sale and hold to be sold, which is kept beside
// the purchases.
func (j *Journal) Selling() Selling { return Selling{j} }

// sellingSchema is the migration that makes room for listings and positions. What
// is open is package selling's word on the state, written beside it; that no two
// open listings share their goods or their holder, and no two positions an asset,
// is held by indexes besides.
const sellingSchema = `
CREATE TABLE listings (
	id         TEXT PRIMARY KEY,
	holder     TEXT NOT NULL,
	round      INTEGER NOT NULL,
	market     TEXT NOT NULL,
	game       TEXT NOT NULL,
	name       TEXT NOT NULL,
	phase      TEXT NOT NULL,
	goods      TEXT NOT NULL,
	price      INTEGER NOT NULL,
	floor      INTEGER NOT NULL,
	state      TEXT NOT NULL,
	open       INTEGER NOT NULL,
	rev        INTEGER NOT NULL,
	market_ref TEXT NOT NULL,
	offer_id   TEXT NOT NULL,
	proceeds   INTEGER NOT NULL,
	credit_ref TEXT NOT NULL,
	error      TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	listed_at  INTEGER NOT NULL,
	gone_at    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX listings_round ON listings (holder, round);
CREATE UNIQUE INDEX listings_holder ON listings (holder) WHERE open;
CREATE UNIQUE INDEX listings_goods ON listings (goods) WHERE open;
CREATE UNIQUE INDEX listings_credit ON listings (market, credit_ref) WHERE credit_ref <> '';
CREATE INDEX listings_state ON listings (state, updated_at);

CREATE TABLE positions (
	id         TEXT PRIMARY KEY,
	game       TEXT NOT NULL,
	name       TEXT NOT NULL,
	phase      TEXT NOT NULL,
	bought_on  TEXT NOT NULL,
	sell_on    TEXT NOT NULL,
	cost       INTEGER NOT NULL,
	expected   INTEGER NOT NULL,
	bought_at  INTEGER NOT NULL,
	asset      TEXT NOT NULL,
	floor      INTEGER NOT NULL,
	note       TEXT NOT NULL,
	rev        INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX positions_asset ON positions (asset) WHERE asset <> '';
CREATE INDEX positions_newest ON positions (created_at, id);
`

// listingColumns is the order in which a listing is scanned.
const listingColumns = `l.id, l.holder, l.round, l.market, l.game, l.name, l.phase, l.goods, l.price, l.floor, l.state, l.rev,
	l.market_ref, l.offer_id, l.proceeds, l.credit_ref, l.error, l.created_at, l.updated_at, l.listed_at, l.gone_at`

func scanListing(row interface{ Scan(...any) error }) (selling.Listing, error) {
	var l selling.Listing
	var created, updated, listed, gone int64
	err := row.Scan(&l.ID, &l.Holder, &l.Round, &l.Market, &l.Item.Game, &l.Item.Name, &l.Item.Phase, &l.Goods, &l.Price, &l.Floor, &l.State, &l.Rev,
		&l.MarketRef, &l.OfferID, &l.Proceeds, &l.CreditRef, &l.Error, &created, &updated, &listed, &gone)
	l.CreatedAt, l.UpdatedAt, l.ListedAt, l.GoneAt = fromNanos(created), fromNanos(updated), fromNanos(listed), fromNanos(gone)
	return l, err
}

// loadListing gives a listing, or ErrNoListing.
func loadListing(ctx context.Context, tx *sql.Tx, id selling.ListingID) (selling.Listing, error) {
	l, err := scanListing(tx.QueryRowContext(ctx, `SELECT `+listingColumns+` FROM listings l WHERE id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		err = selling.ErrNoListing
	}
	return l, err
}

// exists tells whether a query finds anything.
func exists(ctx context.Context, tx *sql.Tx, query string, args ...any) (found bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (`+query+`)`, args...).Scan(&found)
	return found, err
}

// Begin implements selling.Listings.
func (s Selling) Begin(ctx context.Context, o selling.Offer, now time.Time) (l selling.Listing, err error) {
	err = s.j.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := running(ctx, tx); err != nil {
			return err
		}
		if taken, err := exists(ctx, tx, `SELECT 1 FROM listings WHERE open AND (goods = ? OR holder = ?)`, o.Goods, o.Holder); err != nil {
			return err
		} else if taken {
			return selling.ErrOnSale
		}
		var round int
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(round), 0) + 1 FROM listings WHERE holder = ?`, o.Holder).Scan(&round); err != nil {
			return err
		}
		l = selling.NewListing(o, round, now)
		_, err := tx.ExecContext(ctx, `INSERT INTO listings (id, holder, round, market, game, name, phase, goods, price, floor, state, open, rev,
			market_ref, offer_id, proceeds, credit_ref, error, created_at, updated_at, listed_at, gone_at)
			VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?, '','',0,'','',?,?,0,0)`,
			l.ID, l.Holder, l.Round, l.Market, l.Item.Game, l.Item.Name, l.Item.Phase, l.Goods, int64(l.Price), int64(l.Floor), l.State, l.State.Open(), l.Rev,
			nanos(l.CreatedAt), nanos(l.UpdatedAt))
		if err != nil {
			return err
		}
		l, err = loadListing(ctx, tx, l.ID)
		return err
	})
	if err != nil {
		return selling.Listing{}, fmt.Errorf("begin a listing of %s in the journal: %w", o.Holder, err)
	}
	return l, nil
}

// Advance implements selling.Listings.
func (s Selling) Advance(ctx context.Context, l selling.Listing) (stored selling.Listing, err error) {
	err = s.j.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		before, err := loadListing(ctx, tx, l.ID)
		if err != nil {
			return err
		}
		if before.Rev != l.Rev {
			return fmt.Errorf("%w: it is at revision %d, not %d", selling.ErrStale, before.Rev, l.Rev)
		}
		if l.CreditRef != "" {
			taken, err := exists(ctx, tx, `SELECT 1 FROM listings WHERE market = ? AND credit_ref = ? AND id <> ?`, before.Market, l.CreditRef, l.ID)
			if err != nil {
				return err
			}
			if taken {
				return selling.ErrCredited
			}
		}
		_, err = tx.ExecContext(ctx, `UPDATE listings SET rev = rev + 1, state = ?, open = ?, market_ref = ?, offer_id = ?,
			proceeds = ?, credit_ref = ?, error = ?, updated_at = ?, listed_at = ?, gone_at = ? WHERE id = ?`,
			l.State, l.State.Open(), l.MarketRef, l.OfferID, int64(l.Proceeds), l.CreditRef, l.Error,
			nanos(l.UpdatedAt), nanos(l.ListedAt), nanos(l.GoneAt), l.ID)
		if err != nil {
			return err
		}
		stored, err = loadListing(ctx, tx, l.ID)
		return err
	})
	if err != nil {
		return selling.Listing{}, fmt.Errorf("advance listing %s to %s in the journal: %w", l.ID, l.State, err)
	}
	return stored, nil
}

// Listing implements selling.Listings.
func (s Selling) Listing(ctx context.Context, id selling.ListingID) (l selling.Listing, err error) {
	err = s.j.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		l, err = loadListing(ctx, tx, id)
		return err
	})
	if err != nil {
		return selling.Listing{}, fmt.Errorf("read listing %s from the journal: %w", id, err)
	}
	return l, nil
}

// InStates implements selling.Listings.
func (s Selling) InStates(ctx context.Context, m pricing.Market, since time.Time, states ...selling.State) (all []selling.Listing, err error) {
	if len(states) == 0 {
		return nil, nil
	}
	cond, args := oneOf(states)
	err = s.j.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		all, err = collect(ctx, tx, scanListing, `SELECT `+listingColumns+` FROM listings l
			WHERE state `+cond+` AND (? = '' OR market = ?) AND updated_at >= ? ORDER BY created_at, id`, append(args, m, m, nanos(since))...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list listings of the journal: %w", err)
	}
	return all, nil
}

// Ended implements selling.Listings.
func (s Selling) Ended(ctx context.Context, m pricing.Market, since time.Time, after selling.Listing, limit int) (all []selling.Listing, err error) {
	cond, args := oneOf(selling.EndedStates)
	args = append(args, m, nanos(since))
	query := `SELECT ` + listingColumns + ` FROM listings l WHERE state ` + cond + ` AND market = ? AND updated_at >= ?`
	if after.ID != "" {
		query += ` AND (updated_at, id) < (?, ?)`
		args = append(args, nanos(after.UpdatedAt), after.ID)
	}
	err = s.j.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		all, err = collect(ctx, tx, scanListing, query+` ORDER BY updated_at DESC, id DESC LIMIT ?`, append(args, limit)...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list ended listings of the journal: %w", err)
	}
	return all, nil
}

// prunable finds what may be forgotten. A position stands by its last listing or by
// the one that sold it, which are both kept; what was bought for a buyer has its goods
// in the purchases.
const prunable = `SELECT id FROM listings l
	WHERE state IN ('withdrawn','returned','refused','unsent','vanished') AND updated_at < ?
	AND (NOT EXISTS (SELECT 1 FROM positions WHERE id = l.holder) OR round < (SELECT max(round) FROM listings WHERE holder = l.holder))
	AND NOT EXISTS (SELECT 1 FROM purchases WHERE item_id = l.goods) LIMIT ?`

// Prune implements selling.Listings. It looks before it writes, since those that are
// kept may be many and no other writer should wait for that.
func (s Selling) Prune(ctx context.Context, before time.Time, limit int) (pruned int, err error) {
	var ids []string
	err = s.j.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		ids, err = collect(ctx, tx, func(row interface{ Scan(...any) error }) (id string, err error) {
			return id, row.Scan(&id)
		}, prunable, nanos(before), limit)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("find listings of the journal to prune: %w", err)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	cond, args := oneOf(ids)
	err = s.j.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `DELETE FROM listings AS l WHERE id `+cond+` AND updated_at < ?
			AND NOT EXISTS (SELECT 1 FROM purchases WHERE item_id = l.goods)`, append(args, nanos(before))...)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		pruned = int(n)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("prune listings of the journal: %w", err)
	}
	return pruned, nil
}

// oneOf gives an SQL condition for one of some words, and its arguments.
func oneOf[T ~string](words []T) (string, []any) {
	args := make([]any, len(words))
	for i, w := range words {
		args[i] = string(w)
	}
	return "IN (?" + strings.Repeat(",?", len(words)-1) + ")", args
}

// collect gives every row of a query.
func collect[T any](ctx context.Context, tx *sql.Tx, scan func(interface{ Scan(...any) error }) (T, error), query string, args ...any) ([]T, error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}
