-- Another log stands where this partition's log was: begin a new incarnation of its keys.
-- The old generation's keys stay: readers add them up.
-- KEYS[1]  state of the partition   KEYS[2] its incidents
-- ARGV     gen and offset that the caller believes, reason
-- Returns  1 where the new incarnation began, 0 where the stored position is not the caller's.
local state = redis.call('HMGET', KEYS[1], 'gen', 'offset')
if (tonumber(state[1]) or 0) ~= tonumber(ARGV[1]) or (tonumber(state[2]) or -1) ~= tonumber(ARGV[2]) then
  return 0
end
redis.call('HDEL', KEYS[1], 'offset', 'ts', 'key', 'watermark', 'rules')
redis.call('HSET', KEYS[1], 'gen', ARGV[1] + 1)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 1000, '*', 'kind', 'new_log', 'offset', ARGV[2], 'reason', ARGV[3])
return 1
