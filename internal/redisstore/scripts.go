package redisstore

import "github.com/redis/go-redis/v9"

// Versions travel as text: Lua's numbers are floats, and servers differ in how
// they print them.

// publishScript puts a version in force.
//
//	KEYS  catalog, changes
//	ARGV  version it leads from, version, token, change, snapshot (may be empty)
//
// It answers "done", "superseded", or "snapshot": nothing was written, and the
// same call with a snapshot is needed. That is when there is none, when the
// changes since are more than fifty or than half of its size, or when somebody
// has cut the stream. An empty change tells followers to load the snapshot.
//
// A snapshot is also when the stream is cut: to what came since the snapshot
// before, so that readers who are a little behind find their way.
var publishScript = redis.NewScript(`
local have = redis.call('HMGET', KEYS[1], 'version', 'token', 'deltas', 'delta_bytes', 'snapshot_bytes', 'snapshot_version')
local from, to, token, change, snapshot = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if have[1] == to and have[2] == token then return 'done' end
if (have[1] or '0') ~= from then return 'superseded' end
local deltas = tonumber(have[3] or '0') + 1
local bytes = tonumber(have[4] or '0') + #change
if snapshot == '' then
  if not have[6] or deltas > 50 or 2 * bytes > tonumber(have[5]) or redis.call('XLEN', KEYS[2]) < deltas then
    return 'snapshot'
  end
else
  if from == '0' then
    redis.call('DEL', KEYS[2])
  else
    redis.call('XTRIM', KEYS[2], 'MINID', have[6] .. '-0')
  end
  redis.call('HSET', KEYS[1], 'snapshot', snapshot, 'snapshot_bytes', #snapshot, 'snapshot_version', to)
  deltas, bytes = 0, 0
end
redis.call('HSET', KEYS[1], 'version', to, 'token', token, 'deltas', deltas, 'delta_bytes', bytes)
redis.call('XADD', KEYS[2], to .. '-0', 'change', change)
return 'done'
`)

// catalogScript gives the version in force, the snapshot, and the changes that
// follow it; nil when nothing is in force.
//
//	KEYS  catalog, changes
//	ARGV  1 to fall back to the snapshot when changes are lost
//
// Lost they are when Redis had to make room, or somebody deleted them. Falling
// back is for who publishes next: others would take newer prices from each other.
var catalogScript = redis.NewScript(`
local head = redis.call('HMGET', KEYS[1], 'version', 'snapshot', 'snapshot_version', 'deltas')
if not head[1] then return false end
local out = {head[1], head[2]}
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], head[3] .. '-1', '+')) do
  out[#out + 1] = entry[2][2]
end
if ARGV[1] == '1' and #out - 2 ~= tonumber(head[4]) then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'version', head[3], 'deltas', 0, 'delta_bytes', 0)
  return {head[3], head[2]}
end
return out
`)

// takeReleaseScript answers 1 to the first token that asks after a request.
//
//	KEYS  release
//	ARGV  token, milliseconds for which the same token gets the same answer
var takeReleaseScript = redis.NewScript(`
local asked = redis.call('GET', KEYS[1])
if asked ~= 'asked' and asked ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`)

// permitScript grants a permit, by the server's clock, or answers how many
// milliseconds to wait before asking again.
//
//	KEYS  window, pause
//	ARGV  token, window in ms, permits in a window for this class, permits in any second
//
// Permits are sorted by when they were granted. With n of them and k allowed,
// the one at n-k must leave before the next is granted. One from the future was
// granted before the clock was set back, and counts as just granted.
var permitScript = redis.NewScript(`
local token, window = ARGV[1], tonumber(ARGV[2])
if redis.call('ZSCORE', KEYS[1], token) then return 0 end
local pause = redis.call('PTTL', KEYS[2])
if pause > 0 then return pause end
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - window))
local text = string.format('%.0f', now)
for _, permit in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. text, '+inf')) do
  redis.call('ZADD', KEYS[1], text, permit)
  redis.call('PEXPIRE', KEYS[1], window)
end
local granted, wait = redis.call('ZCARD', KEYS[1]), 0
local function leaves(rank, span)
  if rank < 0 then return end
  local permit = redis.call('ZRANGE', KEYS[1], rank, rank, 'WITHSCORES')
  wait = math.max(wait, tonumber(permit[2]) + span - now)
end
leaves(granted - tonumber(ARGV[3]), window)
leaves(granted - tonumber(ARGV[4]), 1000)
if wait > 0 then return wait end
redis.call('ZADD', KEYS[1], text, token)
redis.call('PEXPIRE', KEYS[1], window)
return 0
`)

// pauseScript blocks all permits for some milliseconds; the longest pause wins.
//
//	KEYS  pause
//	ARGV  milliseconds
var pauseScript = redis.NewScript(`
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], 1, 'PX', ARGV[1]) end
return 1
`)
