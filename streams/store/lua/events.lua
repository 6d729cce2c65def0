-- Write events of one campaign, each once, and go on to the next state of its thresholds.
-- KEYS[1]  stream of events          KEYS[2]  hash: campaign -> state
-- KEYS[3]  hash: keys of events that come once      KEYS[4]  sorted set: keys of the others, by ms
-- KEYS[5]  hash: campaign US kind -> events written
-- ARGV[1]  MessagePack: {campaign, expect, state, forget, length, events =
--          {{key, once, ms, kind, fields}}}
-- Returns  number of events written; -1 where another exporter has changed the state: nothing written
local call = redis.call
local asked = cmsgpack.unpack(ARGV[1])
if (call('HGET', KEYS[2], asked.campaign) or '') ~= asked.expect then return -1 end
call('HSET', KEYS[2], asked.campaign, asked.state)
local written = 0
for _, event in ipairs(asked.events) do
  local key, once, ms, kind, fields = event[1], event[2], event[3], event[4], event[5]
  local new
  if once then
    new = call('HSETNX', KEYS[3], key, ms)
  else
    new = call('ZADD', KEYS[4], 'NX', ms, key)
  end
  if new == 1 then
    call('XADD', KEYS[1], 'MAXLEN', '~', asked.length, '*', unpack(fields))
    call('HINCRBY', KEYS[5], asked.campaign .. '\31' .. kind, 1)
    written = written + 1
  end
end
call('ZREMRANGEBYSCORE', KEYS[4], '-inf', '(' .. asked.forget)
return written
