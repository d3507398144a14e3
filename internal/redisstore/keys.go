package redisstore

import "skinarb/pricing"

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
