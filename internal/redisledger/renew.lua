-- renew.lua lets leases of one counter live on, and holds again those that are
-- gone. What comes too late does nothing: the leases may have been let go since.
--
-- KEYS  the counter
-- ARGV  clock, the latest instant at which it may be done or empty, the
--       microseconds that they live, the leases
--
-- Returns 1, or -1 if it was too late, and the time.
local latest = tonumber(ARGV[2])
if latest and now > latest then return {-1, now} end
for i = 4, #ARGV do hold(KEYS[1], tonumber(ARGV[3]), ARGV[i]) end
drop(KEYS[1])
return {1, now}
