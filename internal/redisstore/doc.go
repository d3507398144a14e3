// Package redisstore keeps what several processes share in Redis: catalogs in
// force and the stream of their changes, feed statuses, request budgets, and
// leases. It is the only package that knows Redis; every key is built in
// keys.go, and all keys of one feed carry the same hash tag, so that a cluster
// keeps them together.
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
// The server must not evict keys (maxmemory-policy noeviction).
//
// The client repeats a command when the reply was lost. Every script here is
// therefore safe to repeat: it carries the caller's token and answers the same
// token the same way, or changes nothing the second time.
package redisstore
