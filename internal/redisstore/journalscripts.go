package redisstore

import "github.com/redis/go-redis/v9"

// Every script of a journal has the head for its first key, and answers a list
// of texts: a word, the journal's generation if all went well, and what else it
// was asked for. An empty text stands for what is not there.

// journalGuard begins a script.
//
//	KEYS  head, ...
//	ARGV  identity, generation that was seen already, ...
//
// A journal without its identity, or younger than it was, has lost orders: it
// answers "lost".
const journalGuard = `
local head = redis.call('HMGET', KEYS[1], 'identity', 'generation', 'stopped', 'fence')
if head[1] ~= ARGV[1] or tonumber(head[2]) < tonumber(ARGV[2]) then return {'lost'} end
`

// journalOpenScript gives the identity, the layout and the generation of a
// journal, and creates one where there is none.
//
//	KEYS  head
//	ARGV  identity and layout of a new one
var journalOpenScript = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'identity', ARGV[1], 'layout', ARGV[2], 'generation', '0', 'fence', '0')
end
local head = redis.call('HMGET', KEYS[1], 'identity', 'layout', 'generation')
return {head[1] or '', head[2] or '', head[3] or ''}
`)

// journalWriteScript carries out commands, if nothing was written since the
// generation on which they rest, and by the newest leader. It answers "done",
// "fenced" or "conflict", and the same token the same way once it was done.
//
//	KEYS  head, key of the token, the keys of the commands
//	ARGV  identity, generation seen, fencing number (empty: anybody may), generation
//	      (empty: whatever it is), ms to remember the token, and for each command
//	      its number of words and the words
//
// The first write is one that a full server refuses, so that nothing is done by
// halves.
var journalWriteScript = redis.NewScript(`
local written = redis.call('GET', KEYS[2])
if written then return {'done', written} end
` + journalGuard + `
if ARGV[3] ~= '' and ARGV[3] ~= head[4] then return {'fenced'} end
if ARGV[4] ~= '' and ARGV[4] ~= head[2] then return {'conflict'} end
local generation = string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'generation', 1))
redis.call('SET', KEYS[2], generation, 'PX', ARGV[5])
local at = 6
while at <= #ARGV do
  local last = at + tonumber(ARGV[at])
  redis.call(unpack(ARGV, at + 1, last))
  at = last + 1
end
return {'done', generation}
`)

// journalFenceScript gives whoever has the lease a new fencing number, and the
// same token the same one.
//
//	KEYS  head, key of the token, lease
//	ARGV  identity, generation seen, the lock's value, ms to remember the token
var journalFenceScript = redis.NewScript(`
` + journalGuard + `
if redis.call('GET', KEYS[3]) ~= ARGV[3] then return {'fenced'} end
local fence = redis.call('GET', KEYS[2])
if not fence then
  fence = string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'fence', 1))
  redis.call('SET', KEYS[2], fence, 'PX', ARGV[4])
end
return {'done', head[2], fence}
`)

// journalPingScript writes what means nothing, however often.
//
//	KEYS  head
//	ARGV  identity, generation seen, anything
var journalPingScript = redis.NewScript(journalGuard + `
redis.call('HSET', KEYS[1], 'ping', ARGV[3])
return {'done', head[2]}
`)

// journalOrderScript gives the kill switch, an order and its history. It answers
// "fenced" to a leader that another has followed.
//
//	KEYS  head, orders, steps
//	ARGV  identity, generation seen, ID, fencing number (empty: anybody may)
var journalOrderScript = redis.NewScript(journalGuard + `
if ARGV[4] ~= '' and ARGV[4] ~= head[4] then return {'fenced'} end
return {'done', head[2], head[3] or '', redis.call('HGET', KEYS[2], ARGV[3]) or '', redis.call('HGET', KEYS[3], ARGV[3]) or ''}
`)

// journalFieldsScript gives fields of a hash.
//
//	KEYS  head, hash
//	ARGV  identity, generation seen, fields
var journalFieldsScript = redis.NewScript(journalGuard + `
local out = {'done', head[2]}
for i = 3, #ARGV do out[i] = redis.call('HGET', KEYS[2], ARGV[i]) or '' end
return out
`)

// journalHashesScript gives all fields of hashes and their values.
//
//	KEYS  head, hashes
//	ARGV  identity, generation seen
var journalHashesScript = redis.NewScript(journalGuard + `
local out = {'done', head[2]}
for i = 2, #KEYS do
  for _, text in ipairs(redis.call('HGETALL', KEYS[i])) do out[#out + 1] = text end
end
return out
`)

// journalUsageScript gives, each once, the orders in some states and those whose
// money was spent lately.
//
//	KEYS  head, orders, spent, indexes
//	ARGV  identity, generation seen, length of a place without the ID, second since which
var journalUsageScript = redis.NewScript(journalGuard + `
local out, given = {'done', head[2]}, {}
local function give(id)
  if given[id] then return end
  given[id] = true
  out[#out + 1] = redis.call('HGET', KEYS[2], id) or ''
end
for i = 4, #KEYS do
  for _, place in ipairs(redis.call('ZRANGE', KEYS[i], 0, -1)) do give(string.sub(place, ARGV[3] + 1)) end
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], ARGV[4], '+inf')) do give(id) end
return out
`)

// journalListScript merges sorted sets and gives the orders with the highest
// members, highest first, each followed by its history.
//
//	KEYS  head, orders, steps, sets
//	ARGV  identity, generation seen, length of a member without the ID, bound
//	      above and bound below as ZREVRANGEBYLEX takes them, most orders
//
// Members are compared by bytes: Lua's own < follows the server's locale, which
// is not the order of the sets.
var journalListScript = redis.NewScript(journalGuard + `
local sets = {}
for i = 4, #KEYS do
  sets[#sets + 1] = {at = 1, members = redis.call('ZREVRANGEBYLEX', KEYS[i], ARGV[4], ARGV[5], 'LIMIT', 0, ARGV[6])}
end
local function above(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x > y end
  end
  return #a > #b
end
local out = {'done', head[2]}
for _ = 1, tonumber(ARGV[6]) do
  local from, highest
  for _, set in ipairs(sets) do
    local member = set.members[set.at]
    if member and (not highest or above(member, highest)) then from, highest = set, member end
  end
  if not from then break end
  from.at = from.at + 1
  local id = string.sub(highest, ARGV[3] + 1)
  out[#out + 1] = redis.call('HGET', KEYS[2], id) or ''
  out[#out + 1] = redis.call('HGET', KEYS[3], id) or ''
end
return out
`)
