package sqlitejournal

// migrations lead from an empty file to the newest schema; user_version tells
// how many have been applied. One that was released is never changed.
//
// Money is in millionths of a dollar, times are in nanoseconds since 1970, 0
// for none.
var migrations = []string{`
CREATE TABLE orders (
	id           TEXT PRIMARY KEY,
	market       TEXT NOT NULL,
	game         TEXT NOT NULL,
	name         TEXT NOT NULL,
	phase        TEXT NOT NULL,
	market_name  TEXT NOT NULL,
	ask          INTEGER NOT NULL,
	cost         INTEGER NOT NULL,
	since        INTEGER NOT NULL,
	sell_on      TEXT NOT NULL,
	proceeds     INTEGER NOT NULL,
	expires_at   INTEGER NOT NULL,
	state        TEXT NOT NULL,
	rev          INTEGER NOT NULL,
	paid         INTEGER NOT NULL,
	refunded     INTEGER NOT NULL,
	market_ref   TEXT NOT NULL,
	offer_id     TEXT NOT NULL,
	error        TEXT NOT NULL,
	created_at   INTEGER NOT NULL,
	updated_at   INTEGER NOT NULL,
	sent_at      INTEGER NOT NULL,
	spent_at     INTEGER NOT NULL,
	delivered_at INTEGER NOT NULL
) STRICT;
CREATE INDEX orders_newest ON orders (created_at, id);
CREATE INDEX orders_state ON orders (state, created_at, id);
CREATE INDEX orders_spent ON orders (spent_at);
CREATE INDEX orders_ref ON orders (market, market_ref) WHERE market_ref <> '';

CREATE TABLE steps (
	order_id TEXT NOT NULL REFERENCES orders (id),
	seq      INTEGER NOT NULL,
	at       INTEGER NOT NULL,
	state    TEXT NOT NULL,
	event    TEXT NOT NULL,
	note     TEXT NOT NULL,
	PRIMARY KEY (order_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE trading (
	one     INTEGER PRIMARY KEY CHECK (one = 1),
	stopped INTEGER NOT NULL,
	reason  TEXT NOT NULL,
	by      TEXT NOT NULL,
	at      INTEGER NOT NULL
) STRICT;
INSERT INTO trading VALUES (1, 0, '', '', 0);

CREATE TABLE pings (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	n   INTEGER NOT NULL
) STRICT;
INSERT INTO pings VALUES (1, 0);
`, `
ALTER TABLE orders ADD COLUMN booked INTEGER NOT NULL DEFAULT 0;

CREATE TABLE books (
	market    TEXT PRIMARY KEY,
	opening   INTEGER NOT NULL,
	opened_at INTEGER NOT NULL
) STRICT;
`, `
ALTER TABLE orders ADD COLUMN buyer_ref TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN buyer_partner TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN buyer_steam_id TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN buyer_token TEXT NOT NULL DEFAULT '';
CREATE INDEX orders_buyer ON orders (buyer_ref) WHERE buyer_ref <> '';
`, partnerSchema, sellingSchema}
