-- Begin the new version of a campaign's state beside a partition's keys, or find the one begun.
-- KEYS[1]  state of the partition   KEYS[2] the campaign's claim   KEYS[3] state of the new version
-- ARGV     id, generation, first offset to read, first offset to count
-- Returns  {"begun"}, {"found", first to read, first to count}, or {"moved"} where the partition is
--          of another generation.
-- Another version that was begun loses its state, so that nobody goes on with it, and is waste.
local call = redis.call
if (tonumber(call('HGET', KEYS[1], 'gen') or nil) or 0) ~= tonumber(ARGV[2]) then return {'moved'} end
local known = call('HMGET', KEYS[2], 'id', 'gen', 'read', 'count')
if known[1] == ARGV[1] then return {'found', known[3], known[4]} end
if known[1] then
  call('DEL', KEYS[2] .. ':' .. known[1] .. ':state')
  call('HSET', KEYS[2], 'waste:' .. known[1], known[2])
end
call('HDEL', KEYS[2], 'waste:' .. ARGV[1])
call('HSET', KEYS[2], 'id', ARGV[1], 'gen', ARGV[2], 'read', ARGV[3], 'count', ARGV[4])
call('HSET', KEYS[3], 'gen', ARGV[2], 'offset', ARGV[3])
return {'begun'}
