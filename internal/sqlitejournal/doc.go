// Package sqlitejournal is execution.Journal in one SQLite file, for a trader
// on one machine. It knows SQL and how an order is laid out in columns; what
// counts against a limit it asks package execution.
//
// Every write is one immediate transaction on the only connection that writes,
// committed with synchronous=FULL: when a method returns without an error, the
// record survives a power cut; when it returns one, nothing of it was written.
// The file belongs to one process at a time, see Open.
package sqlitejournal
