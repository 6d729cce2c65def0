-- Put the new version of a campaign's state in the place of the old one: all of it, or nothing.
-- KEYS[1]  state of the partition   KEYS[2] the campaign's claim   KEYS[3] state of the new version
-- ARGV[1]  MessagePack, see streams/store/recount.py
-- Returns  "ok"     done; the new version's state is gone, the rest of it is waste
--          "moved"  nothing written: the two do not stand at the same record of the same log, or
--                   the rules in force are not those that the caller saw
--          "taken"  nothing written: the new version is not the one that was begun last
local call = redis.call
local swap = cmsgpack.unpack(ARGV[1])
local prefix, staging = swap.prefix, swap.staging
if call('HGET', KEYS[2], 'id') ~= swap.id then return 'taken' end
local live = call('HMGET', KEYS[1], 'gen', 'offset', 'ts', 'key', 'rules')
local new = call('HMGET', KEYS[3], 'gen', 'offset', 'ts', 'key')
if (tonumber(live[1] or nil) or 0) ~= swap.gen or tonumber(new[1] or nil) ~= swap.gen
  or live[2] ~= new[2] or tonumber(new[2] or nil) ~= swap.offset then
  return 'moved'
end
-- A new version that has read nothing yet has no last record.
if new[3] and (live[3] ~= new[3] or live[4] ~= new[4]) then return 'moved' end
if (live[5] or '') ~= swap.rules or call('HLEN', prefix .. 'rules') ~= swap.notes then
  return 'moved'
end

local hashes, renamed, index = {'campaigns', 'first'}, {swap.authors}, {}
local indexed = call('ZRANGE', staging .. 'index', 0, -1, 'WITHSCORES')
for i = 1, #indexed, 2 do
  local suffix = indexed[i]
  local kind = string.match(suffix, '^(%a+):')
  if kind == 'cb' or kind == 'a' then
    hashes[#hashes + 1] = suffix
  elseif kind == 'u' or kind == 'kept' then
    renamed[#renamed + 1] = suffix
  end
  if kind ~= 'seen' then
    index[#index + 1] = indexed[i + 1]
    index[#index + 1] = suffix
  end
end
if swap.cluster then
  local touched = {'index', 'kept', 'rules', 'recounts'}
  for _, hash in ipairs(swap.stale) do touched[#touched + 1] = hash[1] end
  for _, suffixes in ipairs({hashes, renamed, swap.gone}) do
    for _, suffix in ipairs(suffixes) do touched[#touched + 1] = suffix end
  end
  all_here(prefix, touched)
  all_here(staging, hashes)
  all_here(staging, renamed)
  all_here(staging, {'index', 'kept'})
end

local function in_parts(command, key, list)
  for first = 1, #list, 1000 do
    call(command, key, unpack(list, first, math.min(first + 999, #list)))
  end
end

for _, hash in ipairs(swap.stale) do in_parts('HDEL', prefix .. hash[1], hash[2]) end
for _, suffix in ipairs(swap.gone) do call('UNLINK', prefix .. suffix) end
in_parts('SREM', prefix .. 'kept', swap.lists)
for _, suffix in ipairs(hashes) do
  in_parts('HSET', prefix .. suffix, call('HGETALL', staging .. suffix))
end
for _, suffix in ipairs(renamed) do
  if call('EXISTS', staging .. suffix) == 1 then
    call('RENAME', staging .. suffix, prefix .. suffix)
  end
end
in_parts('SADD', prefix .. 'kept', call('SMEMBERS', staging .. 'kept'))
in_parts('ZADD', prefix .. 'index', index)

-- Where nothing has been counted under these rules yet, they hold from here on.
if swap.note ~= '' then
  call('HSET', prefix .. 'rules', swap.offset, swap.note)
  call('HSET', KEYS[1], 'rules', swap.note)
end
call('HSET', prefix .. 'recounts', swap.campaign, swap.mark)
call('HINCRBY', KEYS[1], 'recounts', 1)
call('DEL', KEYS[3])
call('HDEL', KEYS[2], 'id', 'gen', 'read', 'count')
call('HSET', KEYS[2], 'waste:' .. swap.id, swap.gen)
return 'ok'
