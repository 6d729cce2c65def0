-- One batch of one partition: all of it, or nothing.
-- KEYS[1]  state of the partition (gen, offset, ts, key, watermark)
-- ARGV[1]  MessagePack, see streams/store/commit.py
-- Returns  {"ok"}                      written, the offset moved
--          {"moved"}                   nothing written: the stored position is not the caller's
--          {"authors", tag, hour, ...} nothing written: these tags reach `hot` posts in their
--                                      hour, so the caller has to add their authors
local call = redis.call
local batch = cmsgpack.unpack(ARGV[1])
local state = call('HMGET', KEYS[1], 'gen', 'offset')
if (tonumber(state[1]) or 0) ~= batch.gen or (tonumber(state[2]) or -1) ~= batch.expect then
  return {'moved'}
end
local prefix = batch.prefix
if batch.cluster then
  local suffixes = {'index', 'tagged', 'tags', 'first', 'sources', 'versions'}
  local function add(suffix) suffixes[#suffixes + 1] = suffix end
  for _, map in ipairs({batch.incr, batch.sadd, batch.deleted, batch.authors, batch.notes, batch.expire}) do
    for suffix in pairs(map) do add(suffix) end
  end
  for _, tag in ipairs(batch.hours) do
    local subject = ':h\31' .. tag[1]
    add('b:3600:' .. tag[2])
    for _, author in ipairs(tag[4] or {}) do
      add('u:3600:' .. tag[2] .. subject)
      add('u:60:' .. author[2] .. subject)
    end
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

-- Hashtags outside the campaigns: authors are counted from the `hot`-th post of an hour.
-- Decided by the stored count, so that it does not depend on how the log was cut into batches.
local missing = {'authors'}
for _, tag in ipairs(batch.hours) do
  local before = tonumber(call('HGET', prefix .. 'b:3600:' .. tag[2], tag[1])) or 0
  tag.before = before
  if before + tag[3] >= batch.hot and not tag[4] then
    missing[#missing + 1] = tag[1]
    missing[#missing + 1] = tag[2]
  end
end
if #missing > 1 then return missing end

for _, tag in ipairs(batch.hours) do
  for i = math.max(1, batch.hot - tag.before), #(tag[4] or {}) do
    local author = tag[4][i]
    local subject = ':h\31' .. tag[1]
    call('PFADD', prefix .. 'u:3600:' .. tag[2] .. subject, author[1])
    call('PFADD', prefix .. 'u:60:' .. author[2] .. subject, author[1])
    call('ZADD', prefix .. 'index', (tag[2] + 3600) * 1000 + batch.keep, 'u:3600:' .. tag[2] .. subject)
    call('ZADD', prefix .. 'index', (author[2] + 60) * 1000 + batch.keep_minute, 'u:60:' .. author[2] .. subject)
  end
end

-- Totals of other hashtags go `keep` ms after their last post: a tag that comes back later starts anew.
for tag, seen in pairs(batch.tags) do
  local last = tonumber(call('ZSCORE', prefix .. 'tagged', tag))
  if last and last + batch.keep < seen[2] then
    call('HDEL', prefix .. 'tags', tag)
    call('UNLINK', prefix .. 'tag:' .. tag)
    last = nil
  end
  if not last or last < seen[1] then call('ZADD', prefix .. 'tagged', seen[1], tag) end
end

for suffix, fields in pairs(batch.incr) do
  local key = prefix .. suffix
  for field, n in pairs(fields) do call('HINCRBY', key, field, n) end
end
for suffix, members in pairs(batch.sadd) do
  for first = 1, #members, 1000 do
    call('SADD', prefix .. suffix, unpack(members, first, math.min(first + 999, #members)))
  end
end
-- Deletes are remembered while the log holds them; each bucket is tidied up by who writes to it.
local begin = next(batch.deleted) and call('HGET', batch.partition .. 'live', 'begin')
for suffix, pairs_of in pairs(batch.deleted) do
  for first = 1, #pairs_of, 1000 do
    call('ZADD', prefix .. suffix, unpack(pairs_of, first, math.min(first + 999, #pairs_of)))
  end
  if begin then call('ZREMRANGEBYSCORE', prefix .. suffix, '-inf', '(' .. begin) end
end
for suffix, elements in pairs(batch.authors) do
  for first = 1, #elements, 1000 do
    call('PFADD', prefix .. suffix, unpack(elements, first, math.min(first + 999, #elements)))
  end
end
for field, ms in pairs(batch.first) do
  local known = tonumber(call('HGET', prefix .. 'first', field))
  if not known or ms < known then call('HSET', prefix .. 'first', field, ms) end
end
for suffix, fields in pairs(batch.notes) do
  for field, text in pairs(fields) do call('HSETNX', prefix .. suffix, field, text) end
end
for source, offset in pairs(batch.sources) do call('HSET', prefix .. 'sources', source, offset) end
for campaign, version in pairs(batch.versions) do
  call('HSETNX', prefix .. 'versions', campaign .. '\31' .. version, batch.base)
end
for _, incident in ipairs(batch.incidents) do
  call('XADD', batch.partition .. 'incidents', 'MAXLEN', '~', 1000, '*', unpack(incident))
end

-- What the watermark has passed goes with the batch that passes it, a bounded share at a time.
for suffix, ms in pairs(batch.expire) do call('ZADD', prefix .. 'index', ms, suffix) end
if batch.watermark then
  local old = call('ZRANGEBYSCORE', prefix .. 'index', '-inf', '(' .. batch.watermark, 'LIMIT', 0, 200)
  if #old > 0 then
    local keys = {}
    for i, suffix in ipairs(old) do keys[i] = prefix .. suffix end
    call('UNLINK', unpack(keys))
    call('ZREM', prefix .. 'index', unpack(old))
  end
  old = call('ZRANGEBYSCORE', prefix .. 'tagged', '-inf', '(' .. (batch.watermark - batch.keep), 'LIMIT', 0, 200)
  if #old > 0 then
    local keys = {}
    for i, tag in ipairs(old) do keys[i] = prefix .. 'tag:' .. tag end
    call('UNLINK', unpack(keys))
    call('HDEL', prefix .. 'tags', unpack(old))
    call('ZREM', prefix .. 'tagged', unpack(old))
  end
  call('HSET', KEYS[1], 'watermark', batch.watermark)
end
call('HSET', KEYS[1], 'gen', batch.gen, 'offset', batch.offset, 'ts', batch.ts, 'key', batch.key)
return {'ok'}
