package sqlitejournal

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"skinarb/execution"
	"skinarb/selling"
)

// withListing joins positions with the listing that counts for each: the one that
// sold it, else the last.
const withListing = ` FROM positions p LEFT JOIN listings l ON l.id =
	(SELECT id FROM listings WHERE holder = p.id ORDER BY state = 'sold' DESC, round DESC LIMIT 1) `

const selectPositions = `SELECT p.id, p.game, p.name, p.phase, p.bought_on, p.sell_on, p.cost, p.expected, p.bought_at,
	p.asset, p.floor, p.note, p.rev, p.created_at, p.updated_at, coalesce(l.id, '')` + withListing

// scanPosition reads a position, of its listing only the ID.
func scanPosition(row interface{ Scan(...any) error }) (selling.Position, error) {
	var p selling.Position
	var bought, created, updated int64
	err := row.Scan(&p.ID, &p.Item.Game, &p.Item.Name, &p.Item.Phase, &p.BoughtOn, &p.SellOn, &p.Cost, &p.Expected, &bought,
		&p.Asset, &p.Floor, &p.Note, &p.Rev, &created, &updated, &p.Listing.ID)
	p.BoughtAt, p.CreatedAt, p.UpdatedAt = fromNanos(bought), fromNanos(created), fromNanos(updated)
	return p, err
}

// loadPositions gives positions with their listings.
func loadPositions(ctx context.Context, tx *sql.Tx, clause string, args ...any) ([]selling.Position, error) {
	all, err := collect(ctx, tx, scanPosition, selectPositions+clause, args...)
	if err != nil {
		return nil, err
	}
	for i, p := range all {
		if p.Listing.ID == "" {
			continue
		}
		if all[i].Listing, err = loadListing(ctx, tx, p.Listing.ID); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// loadPosition gives one position, or ErrNoPosition.
func loadPosition(ctx context.Context, tx *sql.Tx, id execution.OrderID) (selling.Position, error) {
	found, err := loadPositions(ctx, tx, `WHERE p.id = ?`, id)
	if err == nil && len(found) == 0 {
		err = selling.ErrNoPosition
	}
	if err != nil {
		return selling.Position{}, err
	}
	return found[0], nil
}

// unsoldLimit is how many orders Unsold gives at most.
const unsoldLimit = 100

// Unsold implements selling.Positions. What the strategy ordered has proceeds
// that it expected; what was entered from a history has none.
func (s Selling) Unsold(ctx context.Context) (orders []execution.Order, err error) {
	err = s.j.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		orders, err = selectOrders(ctx, tx, `WHERE state = ? AND proceeds > 0 AND buyer_ref = ''
			AND NOT EXISTS (SELECT 1 FROM positions p WHERE p.id = orders.id) ORDER BY created_at, id LIMIT ?`, execution.Settled, unsoldLimit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list settled purchases of the journal: %w", err)
	}
	return orders, nil
}

// Enter implements selling.Positions.
func (s Selling) Enter(ctx context.Context, p selling.Position) error {
	err := s.j.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO positions VALUES (?,?,?,?,?,?,?,?,?,?,?,?,1,?,?) ON CONFLICT (id) DO NOTHING`,
			p.ID, p.Item.Game, p.Item.Name, p.Item.Phase, p.BoughtOn, p.SellOn, int64(p.Cost), int64(p.Expected), nanos(p.BoughtAt),
			p.Asset, int64(p.Floor), p.Note, nanos(p.CreatedAt), nanos(p.UpdatedAt))
		return err
	})
	if err != nil {
		return fmt.Errorf("enter position %s in the journal: %w", p.ID, err)
	}
	return nil
}

// Update implements selling.Positions.
func (s Selling) Update(ctx context.Context, p selling.Position) (stored selling.Position, err error) {
	err = s.j.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		before, err := loadPosition(ctx, tx, p.ID)
		if err != nil {
			return err
		}
		if before.Rev != p.Rev {
			return fmt.Errorf("%w: it is at revision %d, not %d", selling.ErrStale, before.Rev, p.Rev)
		}
		if p.Asset != "" {
			taken, err := exists(ctx, tx, `SELECT 1 FROM positions WHERE asset = ? AND id <> ?`, p.Asset, p.ID)
			if err != nil {
				return err
			}
			if taken {
				return selling.ErrTaken
			}
		}
		_, err = tx.ExecContext(ctx, `UPDATE positions SET rev = rev + 1, asset = ?, floor = ?, note = ?, updated_at = ? WHERE id = ?`,
			p.Asset, int64(p.Floor), p.Note, nanos(p.UpdatedAt), p.ID)
		if err != nil {
			return err
		}
		stored, err = loadPosition(ctx, tx, p.ID)
		return err
	})
	if err != nil {
		return selling.Position{}, fmt.Errorf("update position %s in the journal: %w", p.ID, err)
	}
	return stored, nil
}

// Held implements selling.Positions.
func (s Selling) Held(ctx context.Context) (held []selling.Position, err error) {
	err = s.j.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		held, err = loadPositions(ctx, tx, `WHERE coalesce(l.state, '') NOT IN (?, ?) ORDER BY p.created_at, p.id`, selling.Sold, selling.Vanished)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list held positions of the journal: %w", err)
	}
	return held, nil
}

// Page implements selling.Positions.
func (s Selling) Page(ctx context.Context, q selling.Query) (page []selling.Position, err error) {
	err = s.j.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		where, args := `WHERE true`, []any{}
		if len(q.States) > 0 {
			cond, states := oneOf(listingStates(q.States))
			where, args = where+` AND coalesce(l.state, '') `+cond, append(args, states...)
		}
		if q.After != "" {
			last, err := loadPosition(ctx, tx, q.After)
			if err != nil {
				return err
			}
			where, args = where+` AND (p.created_at, p.id) < (?, ?)`, append(args, nanos(last.CreatedAt), last.ID)
		}
		page, err = loadPositions(ctx, tx, where+` ORDER BY p.created_at DESC, p.id DESC LIMIT ?`, append(args, q.PageLimit())...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list positions of the journal: %w", err)
	}
	return page, nil
}

// listingStates gives the states of listings that positions in some states have;
// the empty one stands for no listing.
func listingStates(wanted []selling.PositionState) []selling.State {
	all := append([]selling.State{""}, selling.States...)
	var states []selling.State
	for _, st := range all {
		for _, w := range wanted {
			if selling.PositionStateOf(st) == w {
				states = append(states, st)
				break
			}
		}
	}
	if states == nil {
		states = []selling.State{"none"} // of no state that there is
	}
	return states
}

// Count implements selling.Positions.
func (s Selling) Count(ctx context.Context) (map[selling.PositionState]int, error) {
	counts := map[selling.PositionState]int{}
	err := s.j.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT coalesce(l.state, '') AS stands, count(*)`+withListing+`GROUP BY stands`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var st selling.State
			var n int
			if err := rows.Scan(&st, &n); err != nil {
				return err
			}
			counts[selling.PositionStateOf(st)] += n
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("count positions of the journal: %w", err)
	}
	return counts, nil
}

const (
	outlay = `CASE WHEN o.paid <= 0 THEN o.cost WHEN o.paid <= o.ask THEN o.paid + (o.cost - o.ask) ELSE o.paid END` // execution.Order.Outlay
	lost   = `IN ('failed', 'penalized', 'rolled_back')`                                                             // of which execution.Amounts has the loss
)

// Profits implements selling.Positions.
func (s Selling) Profits(ctx context.Context) (all []selling.Profit, err error) {
	const nanosPerDay = int64(24 * time.Hour)
	err = s.j.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		all, err = collect(ctx, tx, func(row interface{ Scan(...any) error }) (selling.Profit, error) {
			var p selling.Profit
			var day int64
			err := row.Scan(&day, &p.Amount)
			p.Day = time.Unix(0, day*nanosPerDay).UTC()
			return p, err
		}, `SELECT bought / ? AS day, sum(proceeds - CASE WHEN lost THEN 0 ELSE cost END) FROM (
			SELECT p.bought_at AS bought, l.proceeds, p.cost, coalesce(o.state, '') `+lost+` AS lost`+withListing+`
				LEFT JOIN orders o ON o.id = p.id WHERE l.state = 'sold'
			UNION ALL
			SELECT o.created_at, l.proceeds, `+outlay+` - o.refunded, o.state `+lost+` FROM listings l
				JOIN purchases b ON b.item_id = l.goods AND b.holds
				JOIN orders o ON o.buyer_ref = b.custom_id AND o.buyer_ref <> '' WHERE l.state = 'sold'
			) GROUP BY day ORDER BY day DESC`, nanosPerDay)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("total the positions of the journal: %w", err)
	}
	return all, nil
}
