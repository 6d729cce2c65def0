-- Stands before commit.lua: the newest posts of each campaign and hashtag, a part of the commit.
-- args  2 newest posts of a list, 3 oldest minute worth keeping, 4 ms until which the lists are
--       kept, then list, minute, posts and chunk in turn; see streams/kept.py
-- A list's member `total`, whose score is below every minute's, holds how many posts it has.
local function keep(prefix, args)
  if not args[2] then return end
  local call, newest, oldest = redis.call, tonumber(args[2]), tonumber(args[3])
  local added, names, gone = {}, {}, {}
  for i = 5, #args, 4 do
    local name = args[i]
    call('ZADD', prefix .. 'kept:' .. name, args[i + 1], args[i + 3])
    if not added[name] then
      names[#names + 1] = name
      gone[#gone + 1] = args[4]
      gone[#gone + 1] = 'kept:' .. name
    end
    added[name] = (added[name] or 0) + args[i + 2]
  end
  for first = 1, #names, 1000 do
    call('SADD', prefix .. 'kept', unpack(names, first, math.min(first + 999, #names)))
  end
  for first = 1, #gone, 1000 do
    call('ZADD', prefix .. 'index', unpack(gone, first, math.min(first + 999, #gone)))
  end
  for _, name in ipairs(names) do
    local key = prefix .. 'kept:' .. name
    local total = -tonumber(call('ZINCRBY', key, -added[name], 'total'))
    -- Whole minutes go, so that what stays is the newest whatever order it came in; an eighth more
    -- than wanted may stay, so that not every batch has to look.
    local crowded = total > newest + newest / 8
    while crowded or call('ZCOUNT', key, 0, '(' .. oldest) > 0 do
      local minute = call('ZRANGE', key, 1, 1, 'WITHSCORES')[2]
      local posts = 0
      for _, chunk in ipairs(call('ZRANGEBYSCORE', key, minute, minute)) do
        posts = posts + string.match(chunk, '^%[%[%d+,(%d+)%]')
      end
      if tonumber(minute) >= oldest and total - posts < newest then break end
      call('ZREMRANGEBYSCORE', key, minute, minute)
      call('ZINCRBY', key, posts, 'total')
      total = total - posts
    end
  end
end
