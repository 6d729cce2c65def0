-- Where deleted posts are kept.  Reads only.
-- KEYS[1]  set: names of the lists of kept posts
-- ARGV     prefix of the lists' keys, then minute and uid (as in JSON) in turn
-- Returns  key, minute and chunk in turn
local found, known = {}, {}
for _, name in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local key = ARGV[1] .. name
  local minutes = {}
  for i = 2, #ARGV, 2 do
    local minute, uid = ARGV[i], ARGV[i + 1]
    minutes[minute] = minutes[minute] or redis.call('ZRANGEBYSCORE', key, minute, minute)
    for _, chunk in ipairs(minutes[minute]) do
      if string.find(chunk, uid, 1, true) and not known[key .. chunk] then
        known[key .. chunk] = true
        found[#found + 1] = key
        found[#found + 1] = minute
        found[#found + 1] = chunk
      end
    end
  end
end
return found
