-- Put chunks of kept posts in the place of others, where those are still there.
-- KEYS[1]  list
-- ARGV     minute, old chunk and new chunk in turn
-- Returns  how many were replaced
local replaced = 0
for i = 1, #ARGV, 3 do
  if redis.call('ZREM', KEYS[1], ARGV[i + 1]) == 1 then
    redis.call('ZADD', KEYS[1], ARGV[i], ARGV[i + 2])
    replaced = replaced + 1
  end
end
return replaced
