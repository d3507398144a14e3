// Package redisstore keeps what several processes share in Redis: catalogs in
// force and the stream of their changes, feed statuses, request budgets, leases,
// and the journal of several traders. It is the only package that knows Redis;
// every key is built in keys.go, and all keys of one feed or one journal carry
// the same hash tag, so that a cluster keeps them together.
//
// A catalog is one hash: a compressed snapshot of some version, and the version
// in force. What leads from the one to the other are the entries of a stream,
// whose ids are the versions. So a publication normally writes only what
// changed, one script makes it visible whole, and a follower reads nothing but
// the stream:
//
//	skinarb:{cs2:sih}:catalog  version 1042 · snapshot of 1040
//	skinarb:{cs2:sih}:changes  … 1041-0  1042-0
//
// A journal counts its writes: that is its generation. What is to be written is
// decided here, by what was read at one generation, and one script writes it if
// the generation is still the same and the writer's fencing number the newest.
// So limits are judged and money is reserved in one step, whoever else writes:
//
//	skinarb:{journal:live}:head                     identity · generation 1042 · fence 7 · kill switch
//	skinarb:{journal:live}:orders, :steps           each order, and its history
//	skinarb:{journal:live}:index:sih:placed, …      which orders, by age
//	skinarb:{journal:live}:sums:sih                 what they come to
//
// The server must not evict keys (maxmemory-policy noeviction). For a journal of
// real purchases it must also persist every write, see Journal.Durable.
//
// The client repeats a command when the reply was lost. Every script here is
// therefore safe to repeat: it carries the caller's token and answers the same
// token the same way, or changes nothing the second time.
package redisstore
