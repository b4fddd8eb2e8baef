-- beat.lua says that a replica lives, and returns who does.
--
-- KEYS  the replicas, each with the instant until which it lives; the epoch
-- ARGV  clock, the replica, the microseconds that it lives, a fresh epoch
--
-- Returns the time, the epoch, how many replicas live, and how many of them come
-- before this one in the order of their names.
local self = ARGV[2]
hold(KEYS[1], tonumber(ARGV[3]), self)
drop(KEYS[1])

-- The epoch is gone only if the data are, or if nobody has lived for a day.
call('SET', KEYS[2], ARGV[4], 'NX')
call('PEXPIRE', KEYS[2], millis(DAY))

local rank = 0
local live = call('ZRANGE', KEYS[1], 0, -1)
for _, name in ipairs(live) do
  if name < self then rank = rank + 1 end
end
return {now, call('GET', KEYS[2]), #live, rank}
