package sqlitejournal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"skinarb/execution"
)

// columns is the order in which values and scanOrder meet.
const columns = `id, market, game, name, phase, market_name, ask, cost, since, sell_on, proceeds, expires_at, buyer_ref, buyer_partner, buyer_steam_id, buyer_token,
	state, rev, paid, refunded, booked, market_ref, offer_id, error, created_at, updated_at, sent_at, spent_at, delivered_at`

const insertOrder = `INSERT INTO orders (` + columns + `) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?, ?,?,?,?,?,?,?,?,?,?,?,?,?)`

func values(o execution.Order) []any {
	return []any{o.ID, o.Market, o.Item.Game, o.Item.Name, o.Item.Phase, o.MarketName, int64(o.Ask), int64(o.Cost), int64(o.Since), o.SellOn, int64(o.Proceeds), nanos(o.ExpiresAt), o.Buyer.Ref, o.Buyer.To.Partner, o.Buyer.To.SteamID, o.Buyer.To.Token,
		o.State, o.Rev, int64(o.Paid), int64(o.Refunded), o.Booked, o.MarketRef, o.OfferID, o.Error, nanos(o.CreatedAt), nanos(o.UpdatedAt), nanos(o.SentAt), nanos(o.SpentAt), nanos(o.DeliveredAt)}
}

func scanOrder(row interface{ Scan(...any) error }) (execution.Order, error) {
	var o execution.Order
	var since, expires, created, updated, sent, spent, delivered int64
	err := row.Scan(&o.ID, &o.Market, &o.Item.Game, &o.Item.Name, &o.Item.Phase, &o.MarketName, &o.Ask, &o.Cost, &since, &o.SellOn, &o.Proceeds, &expires, &o.Buyer.Ref, &o.Buyer.To.Partner, &o.Buyer.To.SteamID, &o.Buyer.To.Token,
		&o.State, &o.Rev, &o.Paid, &o.Refunded, &o.Booked, &o.MarketRef, &o.OfferID, &o.Error, &created, &updated, &sent, &spent, &delivered)
	o.Since, o.ExpiresAt = uint64(since), fromNanos(expires)
	o.CreatedAt, o.UpdatedAt, o.SentAt, o.SpentAt, o.DeliveredAt = fromNanos(created), fromNanos(updated), fromNanos(sent), fromNanos(spent), fromNanos(delivered)
	return o, err
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// load gives an order with its history, or ErrNoOrder.
func load(ctx context.Context, tx *sql.Tx, id execution.OrderID) (execution.Order, error) {
	o, err := scanOrder(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM orders WHERE id = ?`, id))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return execution.Order{}, execution.ErrNoOrder
	case err != nil:
		return execution.Order{}, err
	}
	histories, err := loadSteps(ctx, tx, []execution.OrderID{id})
	o.History = histories[id]
	return o, err
}

// loadSteps gives the histories of orders, oldest step first.
func loadSteps(ctx context.Context, tx *sql.Tx, ids []execution.OrderID) (map[execution.OrderID][]execution.Step, error) {
	list, err := json.Marshal(ids) // one parameter, however many orders
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT order_id, at, state, event, note FROM steps
		WHERE order_id IN (SELECT value FROM json_each(?)) ORDER BY order_id, seq`, string(list))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := make(map[execution.OrderID][]execution.Step, len(ids))
	for rows.Next() {
		var id execution.OrderID
		var at int64
		var s execution.Step
		if err := rows.Scan(&id, &at, &s.State, &s.Event, &s.Note); err != nil {
			return nil, err
		}
		s.At = fromNanos(at)
		out[id] = append(out[id], s)
	}
	return out, rows.Err()
}

// appendStep adds a step to a history and forgets what is beyond its bound.
func appendStep(ctx context.Context, tx *sql.Tx, id execution.OrderID, s execution.Step) error {
	if s == (execution.Step{}) {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO steps (order_id, seq, at, state, event, note)
		VALUES (?1, (SELECT coalesce(max(seq), 0) + 1 FROM steps WHERE order_id = ?1), ?2, ?3, ?4, ?5)`,
		id, nanos(s.At), s.State, s.Event, s.Note)
	if err != nil {
		return fmt.Errorf("append a step: %w", err)
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM steps
		WHERE order_id = ?1 AND seq <= (SELECT max(seq) FROM steps WHERE order_id = ?1) - ?2`, id, execution.MaxHistory)
	if err != nil {
		return fmt.Errorf("shorten the history: %w", err)
	}
	return nil
}
