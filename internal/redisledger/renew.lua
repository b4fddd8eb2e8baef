-- renew.lua lets leases of one counter live on, and holds again those that are
-- gone.
--
-- KEYS  the counter
-- ARGV  clock, the microseconds that they live, the leases
for i = 3, #ARGV do hold(KEYS[1], tonumber(ARGV[2]), ARGV[i]) end
drop(KEYS[1])
return now
