-- Keep what posts leave to their reposts and replies, as long as there is room.
-- KEYS[1]  hash of an hour and bucket
-- ARGV     most fields, seconds to keep, then field and value in turn
local room = tonumber(ARGV[1]) - redis.call('HLEN', KEYS[1])
for i = 3, #ARGV, 2 do
  if room <= 0 then break end
  room = room - redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
