-- Stands before the other scripts where Redis is a Cluster.  While a slot moves, a script meets keys
-- that have left (it stops there, and what it wrote stays written) and keys that have not come yet
-- (they look as if they never were).  One command on several keys is refused in both cases: asked
-- first, it ends the script before anything is read or written.
-- A key that is nowhere is refused, too: a partition whose slot moves waits until that is done.
local function all_here(prefix, suffixes)
  for first = 1, #suffixes, 1000 do
    local keys = {KEYS[1]}
    for i = first, math.min(first + 999, #suffixes) do keys[#keys + 1] = prefix .. suffixes[i] end
    redis.call('EXISTS', unpack(keys))
  end
end
