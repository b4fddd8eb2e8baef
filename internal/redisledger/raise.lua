-- raise.lua lifts counters to at least what they were.
--
-- KEYS  the counter of each claim, no flights
-- ARGV  clock; then of each claim its kind, limit, width, length, what was used,
--       and the instant: of a rate when that was so, of a budget its slice
local function rate(c, was, at)
  local left = was - max(now - at, 0)
  if left > used(c) then fill(c, left) end
end

local function budget(c, was, at)
  local w = window(c)
  if not holds(w, at) then return end
  local sum, _, old = spent(c, w)
  if was > sum then spend(c, w, at, was - sum, old) end
end

for i = 1, #KEYS do
  local first = 6 * i - 4
  local c, was, at = claim(i, first), tonumber(ARGV[first + 4]), tonumber(ARGV[first + 5])
  if c.kind == 'rate' then rate(c, was, at) else budget(c, was, at) end
end
return now
