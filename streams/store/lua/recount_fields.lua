-- Which fields of these hashes are a campaign's?  Reads only.
-- KEYS[1]  state of the partition (its slot)
-- ARGV     prefix of the keys, what the fields begin with, suffixes of the hashes
-- Returns  one list of fields a hash, in order.
local found, length = {}, #ARGV[2]
for i = 3, #ARGV do
  local own = {}
  for _, field in ipairs(redis.call('HKEYS', ARGV[1] .. ARGV[i])) do
    if string.sub(field, 1, length) == ARGV[2] then own[#own + 1] = field end
  end
  found[#found + 1] = own
end
return found
