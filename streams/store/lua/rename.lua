-- Give keys of one slot their new names; those that are gone were moved by another worker.
-- KEYS  old name, new name, ...
-- Returns how many were moved.
local moved = 0
for i = 1, #KEYS, 2 do
  if redis.call('EXISTS', KEYS[i]) == 1 then
    redis.call('RENAME', KEYS[i], KEYS[i + 1])
    moved = moved + 1
  end
end
return moved
