-- renew.lua lets leases of one counter live on, and holds again those that are
-- gone.
--
-- KEYS  the counter
-- ARGV  clock, the microseconds that they live, the leases
local expiry = integer(now + ARGV[2])
for i = 3, #ARGV do redis.call('ZADD', KEYS[1], expiry, ARGV[i]) end
keep(KEYS[1])
return now
