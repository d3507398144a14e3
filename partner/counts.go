package partner

import "sync/atomic"

// Counts is what a Server has answered since it began. Every call is in one of
// them, except that Mismatched are among Repeated.
type Counts struct {
	Created      int64 // purchases taken
	Repeated     int64 // create-purchase of a customId that was known
	Mismatched   int64 // of these, with another item, buyer or price
	Polls        int64 // get-purchase of a purchase that is known
	BadSignature int64
	BadPayload   int64 // answered as an invalid tradelink
	BadPrice     int64 // also: the item is not for sale, or not any more
	NotFound     int64
	Failed       int64 // our store, or a bug of ours
}

type counters struct {
	created, repeated, mismatched, polls, badSignature, badPayload, badPrice, notFound, failed atomic.Int64
}

// Counts gives what was answered so far.
func (s *Server) Counts() Counts {
	c := &s.counts
	return Counts{
		Created: c.created.Load(), Repeated: c.repeated.Load(), Mismatched: c.mismatched.Load(), Polls: c.polls.Load(),
		BadSignature: c.badSignature.Load(), BadPayload: c.badPayload.Load(), BadPrice: c.badPrice.Load(),
		NotFound: c.notFound.Load(), Failed: c.failed.Load(),
	}
}
