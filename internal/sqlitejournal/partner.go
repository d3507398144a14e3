package sqlitejournal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"skinarb/partner"
)

var _ partner.Store = Purchases{}

// Purchases is the partner.Store in a journal's file. All methods are safe for
// concurrent use.
type Purchases struct{ j *Journal }

// Purchases gives what SIH's buyers bought of us, which is kept beside the orders.
func (j *Journal) Purchases() Purchases { return Purchases{j} }

// partnerSchema is the migration that makes room for purchases. What is open and
// what holds its item is package partner's word on the state, written beside it.
const partnerSchema = `
CREATE TABLE purchases (
	id              INTEGER PRIMARY KEY AUTOINCREMENT,
	custom_id       TEXT NOT NULL UNIQUE,
	item_id         TEXT NOT NULL,
	steam_id        TEXT NOT NULL,
	token           TEXT NOT NULL,
	price           INTEGER NOT NULL,
	state           TEXT NOT NULL,
	open            INTEGER NOT NULL,
	holds           INTEGER NOT NULL,
	offer_id        INTEGER NOT NULL,
	reason          TEXT NOT NULL,
	until           INTEGER NOT NULL,
	rollback_by     TEXT NOT NULL,
	rollback_at     INTEGER NOT NULL,
	rollback_amount INTEGER NOT NULL,
	created_at      INTEGER NOT NULL,
	updated_at      INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX purchases_item ON purchases (item_id) WHERE holds;
CREATE INDEX purchases_newest ON purchases (item_id, id);
CREATE INDEX purchases_open ON purchases (id) WHERE open;
`

// purchaseColumns is the order in which values and scanPurchase meet.
const purchaseColumns = `id, custom_id, item_id, steam_id, token, price, state,
	offer_id, reason, until, rollback_by, rollback_at, rollback_amount, created_at, updated_at`

func scanPurchase(row interface{ Scan(...any) error }) (partner.Purchase, error) {
	var p partner.Purchase
	var until, rolledBack, created, updated int64
	err := row.Scan(&p.ID, &p.CustomID, &p.ItemID, &p.Buyer.SteamID, &p.Buyer.Token, &p.Price, &p.State,
		&p.OfferID, &p.Reason, &until, &p.Rollback.By, &rolledBack, &p.Rollback.Amount, &created, &updated)
	p.Until, p.Rollback.At, p.CreatedAt, p.UpdatedAt = fromNanos(until), fromNanos(rolledBack), fromNanos(created), fromNanos(updated)
	return p, err
}

// loadPurchase gives a purchase, or ErrNoPurchase.
func loadPurchase(ctx context.Context, tx *sql.Tx, customID string) (partner.Purchase, error) {
	p, err := scanPurchase(tx.QueryRowContext(ctx, `SELECT `+purchaseColumns+` FROM purchases WHERE custom_id = ?`, customID))
	if errors.Is(err, sql.ErrNoRows) {
		err = partner.ErrNoPurchase
	}
	return p, err
}

// Create implements partner.Store.
func (s Purchases) Create(ctx context.Context, p partner.Purchase) (stored partner.Purchase, created bool, err error) {
	err = s.j.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		if stored, err = loadPurchase(ctx, tx, p.CustomID); !errors.Is(err, partner.ErrNoPurchase) {
			return err
		}
		var taken bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM purchases WHERE item_id = ? AND holds)`, p.ItemID).Scan(&taken); err != nil {
			return err
		}
		if taken {
			return partner.ErrItemTaken
		}
		p.State, created = partner.Created, true
		_, err = tx.ExecContext(ctx, `INSERT INTO purchases (custom_id, item_id, steam_id, token, price, state, open, holds,
			offer_id, reason, until, rollback_by, rollback_at, rollback_amount, created_at, updated_at)
			VALUES (?,?,?,?,?,?,?,?, 0,'',0,'',0,0,?,?)`,
			p.CustomID, p.ItemID, p.Buyer.SteamID, p.Buyer.Token, int64(p.Price), p.State, p.State.Open(), p.State.Holds(),
			nanos(p.CreatedAt), nanos(p.UpdatedAt))
		if err != nil {
			return err
		}
		stored, err = loadPurchase(ctx, tx, p.CustomID)
		return err
	})
	if err != nil {
		return partner.Purchase{}, false, fmt.Errorf("store purchase %q: %w", p.CustomID, err)
	}
	return stored, created, nil
}

// Get implements partner.Store.
func (s Purchases) Get(ctx context.Context, customID string) (p partner.Purchase, err error) {
	err = s.j.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		p, err = loadPurchase(ctx, tx, customID)
		return err
	})
	if err != nil {
		return partner.Purchase{}, fmt.Errorf("read purchase %q: %w", customID, err)
	}
	return p, nil
}

// OfItem implements partner.Store.
func (s Purchases) OfItem(ctx context.Context, itemID string) (p partner.Purchase, err error) {
	err = s.j.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		p, err = scanPurchase(tx.QueryRowContext(ctx, `SELECT `+purchaseColumns+` FROM purchases WHERE item_id = ? ORDER BY id DESC LIMIT 1`, itemID))
		if errors.Is(err, sql.ErrNoRows) {
			err = partner.ErrNoPurchase
		}
		return err
	})
	if err != nil {
		return partner.Purchase{}, fmt.Errorf("read the newest purchase of item %q: %w", itemID, err)
	}
	return p, nil
}

// Advance implements partner.Store.
func (s Purchases) Advance(ctx context.Context, customID string, n partner.News) (next partner.Purchase, err error) {
	err = s.j.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		p, err := loadPurchase(ctx, tx, customID)
		if err != nil {
			return err
		}
		if next, err = p.With(n); err != nil || next == p {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE purchases SET state = ?, open = ?, holds = ?, offer_id = ?, reason = ?, until = ?,
			rollback_by = ?, rollback_at = ?, rollback_amount = ?, updated_at = ? WHERE id = ?`,
			next.State, next.State.Open(), next.State.Holds(), next.OfferID, next.Reason, nanos(next.Until),
			next.Rollback.By, nanos(next.Rollback.At), int64(next.Rollback.Amount), nanos(next.UpdatedAt), next.ID)
		return err
	})
	if err != nil {
		return partner.Purchase{}, fmt.Errorf("write that purchase %q is %s: %w", customID, n.State, err)
	}
	return next, nil
}

// Open implements partner.Store.
func (s Purchases) Open(ctx context.Context) (all []partner.Purchase, err error) {
	err = s.j.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT `+purchaseColumns+` FROM purchases WHERE open ORDER BY id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			p, err := scanPurchase(rows)
			if err != nil {
				return err
			}
			all = append(all, p)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list open purchases: %w", err)
	}
	return all, nil
}
