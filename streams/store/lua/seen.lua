-- Which of these uids has this partition counted, and how often these hashtags?  Reads only.
-- KEYS[1]  state of the partition
-- ARGV[1]  MessagePack: {gen, offset, prefix, groups = {{set suffix, {member, ...}}, ...},
--          tags = {{hash suffix, {hashtag, ...}}, ...}}
-- Returns  {"ok", flags, counts}: one character a member, in order, "1" where it is known; one
--          count a hashtag, in order, false where there is none;
--          {"moved"} where the stored position is not the caller's.
local call = redis.call
local batch = cmsgpack.unpack(ARGV[1])
local state = call('HMGET', KEYS[1], 'gen', 'offset')
if (tonumber(state[1]) or 0) ~= batch.gen or (tonumber(state[2]) or -1) ~= batch.offset then
  return {'moved'}
end
if batch.cluster then
  local suffixes = {}
  for _, group in ipairs(batch.groups) do suffixes[#suffixes + 1] = group[1] end
  for _, hour in ipairs(batch.tags) do suffixes[#suffixes + 1] = hour[1] end
  all_here(batch.prefix, suffixes)
end
-- unpack() is bounded by Lua's C stack (8,000): 1,000 at a time.
local flags = {}
for _, group in ipairs(batch.groups) do
  local members = group[2]
  for first = 1, #members, 1000 do
    local last = math.min(first + 999, #members)
    local known = call('SMISMEMBER', batch.prefix .. group[1], unpack(members, first, last))
    flags[#flags + 1] = table.concat(known)
  end
end
local counts = {}
for _, hour in ipairs(batch.tags) do
  local tags = hour[2]
  for first = 1, #tags, 1000 do
    local last = math.min(first + 999, #tags)
    for _, count in ipairs(call('HMGET', batch.prefix .. hour[1], unpack(tags, first, last))) do
      counts[#counts + 1] = count
    end
  end
end
return {'ok', table.concat(flags), counts}
