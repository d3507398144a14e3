package sqlitejournal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

var _ execution.Journal = (*Journal)(nil)

// Reserve implements execution.Journal.
func (j *Journal) Reserve(ctx context.Context, o execution.Order, admit func(execution.Usage) error) (stored execution.Order, created bool, err error) {
	var refused error
	err = j.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := running(ctx, tx); err != nil {
			return err
		}
		var err error
		stored, err = load(ctx, tx, o.ID)
		known := err == nil
		if err != nil && !errors.Is(err, execution.ErrNoOrder) {
			return err
		}
		if known && stored.State != execution.Cancelled {
			return nil
		}
		u, err := usage(ctx, tx, o.UpdatedAt)
		if err != nil {
			return err
		}
		if refused = admit(u); refused != nil {
			return refused
		}
		created = true
		if known {
			replanned, step := stored.Replan(o)
			stored, err = replace(ctx, tx, replanned, step)
		} else {
			o.State = execution.Planned
			stored, err = insert(ctx, tx, o)
		}
		return err
	})
	switch {
	case refused != nil:
		return execution.Order{}, false, refused
	case err != nil:
		return execution.Order{}, false, fmt.Errorf("reserve %s in the journal: %w", o.ID, err)
	}
	return stored, created, nil
}

// Advance implements execution.Journal.
func (j *Journal) Advance(ctx context.Context, o execution.Order, s execution.Step) (stored execution.Order, err error) {
	err = j.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		before, err := load(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		if before.Rev != o.Rev {
			return fmt.Errorf("%w: it is at revision %d, not %d", execution.ErrStale, before.Rev, o.Rev)
		}
		if o.State == execution.Sent && before.State != execution.Sent {
			if err := running(ctx, tx); err != nil {
				return err
			}
		}
		o.Request = before.Request
		stored, err = replace(ctx, tx, o, s)
		return err
	})
	if err != nil {
		return execution.Order{}, fmt.Errorf("advance %s to %s in the journal: %w", o.ID, o.State, err)
	}
	return stored, nil
}

// Adopt implements execution.Journal.
func (j *Journal) Adopt(ctx context.Context, o execution.Order) (stored execution.Order, err error) {
	err = j.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		stored, err = load(ctx, tx, o.ID)
		if errors.Is(err, execution.ErrNoOrder) {
			stored, err = insert(ctx, tx, o)
		}
		return err
	})
	if err != nil {
		return execution.Order{}, fmt.Errorf("adopt %s into the journal: %w", o.ID, err)
	}
	return stored, nil
}

// insert stores a new order with its history.
func insert(ctx context.Context, tx *sql.Tx, o execution.Order) (execution.Order, error) {
	o.Rev = 1
	if _, err := tx.ExecContext(ctx, insertOrder, values(o)...); err != nil {
		return execution.Order{}, err
	}
	for _, s := range o.History {
		if err := appendStep(ctx, tx, o.ID, s); err != nil {
			return execution.Order{}, err
		}
	}
	return load(ctx, tx, o.ID)
}

// replace stores what may change of a known order, and a step.
func replace(ctx context.Context, tx *sql.Tx, o execution.Order, s execution.Step) (execution.Order, error) {
	_, err := tx.ExecContext(ctx, `UPDATE orders SET rev = rev + 1,
		market_name = ?, ask = ?, cost = ?, since = ?, sell_on = ?, proceeds = ?, expires_at = ?, buyer_partner = ?, buyer_steam_id = ?, buyer_token = ?,
		state = ?, paid = ?, refunded = ?, booked = ?, market_ref = ?, offer_id = ?, error = ?,
		updated_at = ?, sent_at = ?, spent_at = ?, delivered_at = ? WHERE id = ?`,
		o.MarketName, int64(o.Ask), int64(o.Cost), int64(o.Since), o.SellOn, int64(o.Proceeds), nanos(o.ExpiresAt), o.Buyer.To.Partner, o.Buyer.To.SteamID, o.Buyer.To.Token,
		o.State, int64(o.Paid), int64(o.Refunded), o.Booked, o.MarketRef, o.OfferID, o.Error,
		nanos(o.UpdatedAt), nanos(o.SentAt), nanos(o.SpentAt), nanos(o.DeliveredAt), o.ID)
	if err != nil {
		return execution.Order{}, err
	}
	if err := appendStep(ctx, tx, o.ID, s); err != nil {
		return execution.Order{}, err
	}
	return load(ctx, tx, o.ID)
}

// Get implements execution.Journal.
func (j *Journal) Get(ctx context.Context, id execution.OrderID) (o execution.Order, err error) {
	err = j.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		o, err = load(ctx, tx, id)
		return err
	})
	if err != nil {
		return execution.Order{}, fmt.Errorf("read %s from the journal: %w", id, err)
	}
	return o, nil
}

// List implements execution.Journal.
func (j *Journal) List(ctx context.Context, q execution.Query) (orders []execution.Order, err error) {
	err = j.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		where, args := []string{"true"}, []any{}
		and := func(cond string, values ...any) { where, args = append(where, cond), append(args, values...) }
		if len(q.States) > 0 {
			cond, values := in(q.States)
			and("state "+cond, values...)
		}
		if q.Market != "" {
			and("market = ?", q.Market)
		}
		if q.MarketRef != "" {
			and("market_ref = ?", q.MarketRef)
		}
		if q.After != "" {
			last, err := load(ctx, tx, q.After)
			if err != nil {
				return err
			}
			and("(created_at, id) < (?, ?)", nanos(last.CreatedAt), last.ID)
		}
		orders, err = selectOrders(ctx, tx, `WHERE `+strings.Join(where, " AND ")+` ORDER BY created_at DESC, id DESC LIMIT ?`, append(args, q.PageLimit())...)
		if err != nil {
			return err
		}
		ids := make([]execution.OrderID, len(orders))
		for i, o := range orders {
			ids[i] = o.ID
		}
		histories, err := loadSteps(ctx, tx, ids)
		for i := range orders {
			orders[i].History = histories[orders[i].ID]
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list orders of the journal: %w", err)
	}
	return orders, nil
}

// in gives an SQL condition for one of the states.
func in(states []execution.State) (string, []any) {
	values := make([]any, len(states))
	for i, s := range states {
		values[i] = s
	}
	return "IN (?" + strings.Repeat(",?", len(states)-1) + ")", values
}

// selectOrders gives orders without their history.
func selectOrders(ctx context.Context, tx *sql.Tx, clause string, args ...any) ([]execution.Order, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+columns+` FROM orders `+clause, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var orders []execution.Order
	for rows.Next() {
		o, err := scanOrder(rows)
		if err != nil {
			return nil, err
		}
		orders = append(orders, o)
	}
	return orders, rows.Err()
}

// Usage implements execution.Journal.
func (j *Journal) Usage(ctx context.Context, now time.Time) (u execution.Usage, err error) {
	err = j.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		u, err = usage(ctx, tx, now)
		return err
	})
	if err != nil {
		return execution.Usage{}, fmt.Errorf("sum up the journal: %w", err)
	}
	return u, nil
}

// locked are the states that count whatever their age.
var locked = func() (states []execution.State) {
	for _, s := range execution.States {
		if s.Locked() {
			states = append(states, s)
		}
	}
	return states
}()

// usage lets SQL find the orders that can count, by two indexes, and
// execution.Usage say what they count for. It reads no more of them than that
// needs, since every reservation waits for it.
func usage(ctx context.Context, tx *sql.Tx, now time.Time) (u execution.Usage, err error) {
	cond, args := in(locked)
	rows, err := tx.QueryContext(ctx, `SELECT market, game, name, phase, state, cost, paid, spent_at FROM orders WHERE state `+cond+` OR spent_at > ?`,
		append(args, nanos(now.Add(-execution.Day)))...)
	if err != nil {
		return u, err
	}
	defer rows.Close()
	for rows.Next() {
		var o execution.Order
		var spent int64
		if err := rows.Scan(&o.Market, &o.Item.Game, &o.Item.Name, &o.Item.Phase, &o.State, &o.Cost, &o.Paid, &spent); err != nil {
			return u, err
		}
		o.SpentAt = fromNanos(spent)
		u.Add(o, now)
	}
	return u, rows.Err()
}

// Totals implements execution.Journal.
func (j *Journal) Totals(ctx context.Context) (t execution.Totals, err error) {
	const nanosPerDay = int64(24 * time.Hour)
	err = j.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT created_at / ?1 AS day, state, count(*),
			sum(CASE WHEN paid > 0 THEN paid ELSE cost END), sum(refunded),
			sum(CASE WHEN proceeds <= 0 THEN 0 WHEN paid <= 0 THEN proceeds - cost WHEN paid <= ask THEN proceeds - paid - (cost - ask) ELSE proceeds - paid END)
			FROM orders GROUP BY day, state ORDER BY day DESC`, nanosPerDay)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var day int64
			var s execution.Sum
			if err := rows.Scan(&day, &s.State, &s.Orders, &s.Committed, &s.Refunded, &s.Profit); err != nil {
				return err
			}
			date := time.Unix(0, day*nanosPerDay).UTC()
			if n := len(t.Days); n == 0 || !t.Days[n-1].Day.Equal(date) {
				t.Days = append(t.Days, execution.DayAmounts{Day: date})
			}
			t.Days[len(t.Days)-1].Add(s)
			t.All.Add(s)
		}
		return rows.Err()
	})
	if err != nil {
		return execution.Totals{}, fmt.Errorf("total the journal: %w", err)
	}
	return t, nil
}

// Books implements execution.Journal.
func (j *Journal) Books(ctx context.Context, m pricing.Market) (b execution.Books, err error) {
	err = j.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var openedAt int64
		err := tx.QueryRowContext(ctx, `SELECT opening, opened_at FROM books WHERE market = ?`, m).Scan(&b.Opening, &openedAt)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		b.OpenedAt = fromNanos(openedAt)
		rows, err := tx.QueryContext(ctx, `SELECT state, count(*), sum(CASE WHEN paid > 0 THEN paid ELSE cost END), sum(refunded)
			FROM orders WHERE market = ? GROUP BY state`, m)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s execution.Sum
			if err := rows.Scan(&s.State, &s.Orders, &s.Committed, &s.Refunded); err != nil {
				return err
			}
			b.Add(s)
		}
		return rows.Err()
	})
	if err != nil {
		return execution.Books{}, fmt.Errorf("sum up the books of %s: %w", m, err)
	}
	return b, nil
}

// OpenBooks implements execution.Journal.
func (j *Journal) OpenBooks(ctx context.Context, m pricing.Market, opening pricing.Money, at time.Time) error {
	err := j.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO books VALUES (?, ?, ?)`, m, int64(opening), nanos(at))
		return err
	})
	if err != nil {
		return fmt.Errorf("open the books of %s: %w", m, err)
	}
	return nil
}

// Trading implements execution.Journal.
func (j *Journal) Trading(ctx context.Context) (t execution.Trading, err error) {
	err = j.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		t, err = trading(ctx, tx)
		return err
	})
	if err != nil {
		return execution.Trading{}, fmt.Errorf("read the kill switch: %w", err)
	}
	return t, nil
}

func trading(ctx context.Context, tx *sql.Tx) (t execution.Trading, err error) {
	var at int64
	err = tx.QueryRowContext(ctx, `SELECT stopped, reason, by, at FROM trading`).Scan(&t.Stopped, &t.Reason, &t.By, &at)
	t.At = fromNanos(at)
	return t, err
}

// running gives ErrStopped while trading is stopped.
func running(ctx context.Context, tx *sql.Tx) error {
	t, err := trading(ctx, tx)
	if err == nil && t.Stopped {
		err = execution.ErrStopped
	}
	return err
}

// SetTrading implements execution.Journal.
func (j *Journal) SetTrading(ctx context.Context, t execution.Trading) error {
	err := j.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE trading SET stopped = ?, reason = ?, by = ?, at = ?`, t.Stopped, t.Reason, t.By, nanos(t.At))
		return err
	})
	if err != nil {
		return fmt.Errorf("write the kill switch: %w", err)
	}
	return nil
}

// Ping implements execution.Journal: it writes, since a full disk still reads.
func (j *Journal) Ping(ctx context.Context) error {
	err := j.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE pings SET n = n + 1`)
		return err
	})
	if err != nil {
		return fmt.Errorf("write to the journal: %w", err)
	}
	return nil
}
