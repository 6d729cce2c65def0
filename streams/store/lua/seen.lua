-- Which of these uids has this partition counted?  Reads only.
-- KEYS[1]  state of the partition
-- ARGV[1]  MessagePack: {gen, offset, prefix, groups = {{set suffix, {member, ...}}, ...}}
-- Returns  {"ok", flags}: one character a member, in order, "1" where it is known;
--          {"moved"} where the stored position is not the caller's.
local batch = cmsgpack.unpack(ARGV[1])
local state = redis.call('HMGET', KEYS[1], 'gen', 'offset')
if (tonumber(state[1]) or 0) ~= batch.gen or (tonumber(state[2]) or -1) ~= batch.offset then
  return {'moved'}
end
if batch.cluster then
  local suffixes = {}
  for i, group in ipairs(batch.groups) do suffixes[i] = group[1] end
  all_here(batch.prefix, suffixes)
end
local flags = {}
for _, group in ipairs(batch.groups) do
  local members = group[2]
  -- unpack() is bounded by Lua's C stack (8,000): ask for 1,000 at a time.
  for first = 1, #members, 1000 do
    local last = math.min(first + 999, #members)
    local known = redis.call('SMISMEMBER', batch.prefix .. group[1], unpack(members, first, last))
    flags[#flags + 1] = table.concat(known)
  end
end
return {'ok', table.concat(flags)}
