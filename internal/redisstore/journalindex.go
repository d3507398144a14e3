package redisstore

import (
	"fmt"
	"slices"
	"strconv"

	"skinarb/execution"
)

// placeTime is the number of characters before the ID in a place.
const placeTime = 24

// maxSameRef is the most orders with one reference of a market that are looked
// at. More than one is the market's mistake.
const maxSameRef = 1000

// place is where an order stands in time, in a form whose bytes sort by
// CreatedAt and then by ID: scores are floats and would lose nanoseconds.
func place(o execution.Order) string {
	return fmt.Sprintf("%016x%08x", uint64(o.CreatedAt.Unix())^1<<63, o.CreatedAt.Nanosecond()) + string(o.ID)
}

// refPrefix begins the members of the orders with a reference. Hexadecimal keeps
// whatever a market calls them apart from the colon.
func refPrefix(ref string) string { return fmt.Sprintf("%x:", ref) }

// entry is a member of a sorted set.
type entry struct{ key, score, member string }

// entries are where an order is found.
func (k journalKeys) entries(o execution.Order) []entry {
	if o.ID == "" {
		return nil
	}
	found := []entry{{k.index(o.Market, o.State), "0", place(o)}}
	if o.MarketRef != "" {
		found = append(found, entry{k.refs, "0", refPrefix(o.MarketRef) + place(o)})
	}
	if !o.SpentAt.IsZero() {
		found = append(found, entry{k.spent, strconv.FormatInt(o.SpentAt.Unix(), 10), string(o.ID)})
	}
	return found
}

// reindex gives what to write so that after is found instead of before.
func (k journalKeys) reindex(before, after execution.Order) []command {
	was, is := k.entries(before), k.entries(after)
	var commands []command
	for _, e := range was {
		if !slices.Contains(is, e) {
			commands = append(commands, command{"ZREM", e.key, e.member})
		}
	}
	for _, e := range is {
		if !slices.Contains(was, e) {
			commands = append(commands, command{"ZADD", e.key, e.score, e.member})
		}
	}
	return commands
}
