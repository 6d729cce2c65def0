-- One batch of one partition: all of it, or nothing.
-- KEYS[1]  state of the partition (gen, offset, ts, key, watermark)
-- ARGV[1]  MessagePack, see streams/store/commit.py; the rest is for keep.lua
-- Returns  "ok"     written, the offset moved
--          "moved"  nothing written: the stored position is not the caller's
-- Few calls with many arguments: a call costs Redis 1 us and more beside its work.  unpack() is
-- bounded by Lua's C stack (8,000), so 1,000 at a time.
local call = redis.call
local batch = cmsgpack.unpack(ARGV[1])
local state = call('HMGET', KEYS[1], 'gen', 'offset')
if (tonumber(state[1]) or 0) ~= batch.gen or (tonumber(state[2]) or -1) ~= batch.expect then
  return 'moved'
end
local prefix = batch.prefix
if batch.cluster then
  local suffixes = {'index', 'tagged', 'tags', 'first', 'sources', 'rules'}
  local function add(suffix) suffixes[#suffixes + 1] = suffix end
  for _, hash in ipairs(batch.incr) do add(hash[1]) end
  for i = 2, #batch.expire, 2 do add(batch.expire[i]) end
  if ARGV[2] then add('kept') end
  for i = 5, #ARGV, 4 do add('kept:' .. ARGV[i]) end
  for _, map in ipairs({batch.sadd, batch.deleted, batch.authors, batch.notes}) do
    for suffix in pairs(map) do add(suffix) end
  end
  if batch.watermark then -- what this batch will remove
    for _, suffix in ipairs(call('ZRANGEBYSCORE', prefix .. 'index', '-inf', '(' .. batch.watermark, 'LIMIT', 0, 200)) do
      add(suffix)
    end
    for _, tag in ipairs(call('ZRANGEBYSCORE', prefix .. 'tagged', '-inf', '(' .. (batch.watermark - batch.keep), 'LIMIT', 0, 200)) do
      add('tag:' .. tag)
    end
  end
  all_here(prefix, suffixes)
  all_here(batch.partition, {'live', 'incidents'})
end

local function in_parts(command, key, list)
  for first = 1, #list, 1000 do
    call(command, key, unpack(list, first, math.min(first + 999, #list)))
  end
end

-- Totals of other hashtags go `keep` ms after their last post: a tag that comes back later starts anew.
-- A campaign's tag (no newest post, -1) may have been another's before: from here on its total stays.
local tagged = prefix .. 'tagged'
local tags, newest, adopted = batch.tags, {}, {}
for first = 1, #tags, 1000 do
  local names = {}
  for i = first, math.min(first + 999, #tags) do names[#names + 1] = tags[i][1] end
  local known = call('ZMSCORE', tagged, unpack(names))
  for i, name in ipairs(names) do
    local tag, last = tags[first + i - 1], tonumber(known[i] or nil)
    if last and last + batch.keep < tag[3] then
      call('HDEL', prefix .. 'tags', name)
      call('UNLINK', prefix .. 'tag:' .. name)
      last = nil
    end
    if tag[2] < 0 then
      if known[i] then adopted[#adopted + 1] = name end
    elseif not last or last < tag[2] then
      newest[#newest + 1] = tag[2]
      newest[#newest + 1] = name
    end
  end
end
in_parts('ZADD', tagged, newest)
in_parts('ZREM', tagged, adopted)

for _, hash in ipairs(batch.incr) do
  local key, fields, counts = prefix .. hash[1], hash[2], hash[3]
  if #fields < 3 then
    for i, field in ipairs(fields) do call('HINCRBY', key, field, counts[i]) end
  else
    for first = 1, #fields, 1000 do
      local last = math.min(first + 999, #fields)
      local old, new = call('HMGET', key, unpack(fields, first, last)), {}
      for i = first, last do
        new[#new + 1] = fields[i]
        new[#new + 1] = (tonumber(old[i - first + 1] or 0)) + counts[i]
      end
      in_parts('HSET', key, new)
    end
  end
end
for suffix, members in pairs(batch.sadd) do in_parts('SADD', prefix .. suffix, members) end
for suffix, elements in pairs(batch.authors) do in_parts('PFADD', prefix .. suffix, elements) end

-- Deletes are remembered while the log holds them; each bucket is tidied up by who writes to it.
local begin = next(batch.deleted) and call('HGET', batch.partition .. 'live', 'begin')
for suffix, pairs_of in pairs(batch.deleted) do
  in_parts('ZADD', prefix .. suffix, pairs_of)
  if begin then call('ZREMRANGEBYSCORE', prefix .. suffix, '-inf', '(' .. begin) end
end
for field, ms in pairs(batch.first) do
  local known = tonumber(call('HGET', prefix .. 'first', field))
  if not known or ms < known then call('HSET', prefix .. 'first', field, ms) end
end
for suffix, fields in pairs(batch.notes) do
  for field, text in pairs(fields) do call('HSETNX', prefix .. suffix, field, text) end
end
for source, offset in pairs(batch.sources) do call('HSET', prefix .. 'sources', source, offset) end
-- Other rules than the batch before: note the offset, so that counts can be worked out again.
if call('HGET', KEYS[1], 'rules') ~= batch.versions then
  call('HSET', prefix .. 'rules', batch.base, batch.versions)
  call('HSET', KEYS[1], 'rules', batch.versions)
end
for _, incident in ipairs(batch.incidents) do
  call('XADD', batch.partition .. 'incidents', 'MAXLEN', '~', 1000, '*', unpack(incident))
end

keep(prefix, ARGV)

-- What the watermark has passed goes with the batch that passes it, a bounded share at a time.
in_parts('ZADD', prefix .. 'index', batch.expire)
if batch.watermark then
  local old = call('ZRANGEBYSCORE', prefix .. 'index', '-inf', '(' .. batch.watermark, 'LIMIT', 0, 200)
  if #old > 0 then
    local keys = {}
    for i, suffix in ipairs(old) do keys[i] = prefix .. suffix end
    call('UNLINK', unpack(keys))
    call('ZREM', prefix .. 'index', unpack(old))
  end
  old = call('ZRANGEBYSCORE', tagged, '-inf', '(' .. (batch.watermark - batch.keep), 'LIMIT', 0, 200)
  if #old > 0 then
    local keys = {}
    for i, tag in ipairs(old) do keys[i] = prefix .. 'tag:' .. tag end
    call('UNLINK', unpack(keys))
    call('HDEL', prefix .. 'tags', unpack(old))
    call('ZREM', tagged, unpack(old))
  end
  call('HSET', KEYS[1], 'watermark', batch.watermark)
end
call('HSET', KEYS[1], 'gen', batch.gen, 'offset', batch.offset, 'ts', batch.ts, 'key', batch.key)
return 'ok'
