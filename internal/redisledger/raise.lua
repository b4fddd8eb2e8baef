-- raise.lua lifts counters to at least what they were.
--
-- KEYS  the counter of each claim, no flights
-- ARGV  clock; then of each claim its kind, limit, width, length, what was used,
--       and the instant: of a rate when that was so, of a budget its slice
local function rate(c)
  local left = c.used - math.max(now - c.at, 0)
  if left > used(c) then fill(c, left) end
end

local function budget(c)
  local w = window(c)
  if not holds(w, c.at) then return end
  local sum, _, old = spent(c, w)
  if c.used > sum then spend(c, w, c.at, c.used - sum, old) end
end

for _, c in ipairs(claims(2, {'limit', 'width', 'length', 'used', 'at'})) do
  if c.kind == 'rate' then rate(c) else budget(c) end
end
return now
