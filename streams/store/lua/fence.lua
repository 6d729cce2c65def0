-- Keep workers of an older layout from a partition, for good: its state moves aside, and what stays
-- in its place matches no position (no generation is -1) and says which layout holds it now.
-- KEYS[1]  state in the old layout   KEYS[2]  where it waits until the other keys have moved
-- ARGV[1]  number of the new layout
if redis.call('HEXISTS', KEYS[1], 'layout') == 0 then
  if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('RENAME', KEYS[1], KEYS[2]) end
  redis.call('HSET', KEYS[1], 'gen', -1, 'layout', ARGV[1])
end
return redis.status_reply('OK')
