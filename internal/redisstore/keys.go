package redisstore

import (
	"skinarb/execution"
	"skinarb/pricing"
)

// keys of one feed. The braces are the hash tag: all of them live in one slot.
type keys struct {
	catalog string // hash: version, token, snapshot and its version, sizes since
	changes string // stream of encoded changes, ids are versions
	status  string // JSON
	release string // the operator's request, or the token of who took it
	lease   string
}

func keysOf(f pricing.Feed) keys {
	tag := "skinarb:{" + string(f.Game) + ":" + string(f.Market) + "}:"
	return keys{
		catalog: tag + "catalog",
		changes: tag + "changes",
		status:  tag + "status",
		release: tag + "release",
		lease:   tag + "lease",
	}
}

// budgetKeys gives the permits granted to a market account lately, and the key
// that exists while it is paused.
func budgetKeys(m pricing.Market) (window, pause string) {
	tag := "skinarb:{budget:" + string(m) + "}:"
	return tag + "window", tag + "pause"
}

// journalKeys of one journal, all in one slot.
type journalKeys struct {
	tag    string
	head   string // hash: identity, layout, generation, fence, stopped, trading, ping
	lease  string
	orders string // hash by ID: the encoded order
	steps  string // hash by ID: its encoded history
	refs   string // sorted set: the market's reference and the place of each order that has one
	spent  string // sorted set: IDs by the second in which the money was spent
}

func journalKeysOf(name string) journalKeys {
	tag := "skinarb:{journal:" + name + "}:"
	return journalKeys{
		tag:    tag,
		head:   tag + "head",
		lease:  tag + "lease",
		orders: tag + "orders",
		steps:  tag + "steps",
		refs:   tag + "refs",
		spent:  tag + "spent",
	}
}

// index gives the sorted set of the places of the orders on a market in a state.
func (k journalKeys) index(m pricing.Market, s execution.State) string {
	return k.tag + "index:" + string(m) + ":" + string(s)
}

// sums gives the hash of what the orders on a market come to, and the opening
// of its books.
func (k journalKeys) sums(m pricing.Market) string { return k.tag + "sums:" + string(m) }

// written gives the key that exists for some time after the write with a token.
func (k journalKeys) written(token string) string { return k.tag + "written:" + token }
