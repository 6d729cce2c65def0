-- Give up a new version of a campaign's state: what is left of it is waste.
-- KEYS[1]  the campaign's claim   KEYS[2] state of the new version
-- ARGV     id
local known = redis.call('HMGET', KEYS[1], 'id', 'gen')
if known[1] == ARGV[1] then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'waste:' .. ARGV[1], known[2])
  redis.call('HDEL', KEYS[1], 'id', 'gen', 'read', 'count')
end
return redis.status_reply('OK')
