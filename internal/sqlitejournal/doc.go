// Package sqlitejournal keeps in one SQLite file what a trader on one machine must
// not forget: the orders that it has placed (Journal is an execution.Journal), what
// it has on sale and holds to be sold (Journal.Selling, a selling.Journal), and what
// SIH's buyers ordered from it (Journal.Purchases, a partner.Store). It knows SQL and
// how each of them is laid out in columns; what counts against a limit, and what may
// follow on what, it asks the packages that own them.
//
// They share a file because some rules span them: that nothing is listed while
// trading is stopped is checked in the transaction that writes the listing.
//
// Every write is one immediate transaction on the only connection that writes,
// committed with synchronous=FULL: when a method returns without an error, the
// record survives a power cut; when it returns one, nothing of it was written.
// The file belongs to one process at a time, see Open.
//
// A file of an older version is brought to the newest schema when it is opened, each
// step in a transaction; one of a newer version is refused. There is no way back.
package sqlitejournal
