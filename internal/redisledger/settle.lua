-- settle.lua settles what one ticket has taken: what it held and did not use is
-- given back, what it used beyond is charged.
--
-- KEYS  the counter of each claim that was taken
-- ARGV  clock, the lease; then of each claim its kind, limit, width, length,
--       cost, actual, and the instant at which it was taken

-- See ledger.Charge: no more is given back than time has not yet.
local function rate(c, actual)
  local change = actual - c.cost
  if change < 0 then
    local elapsed = max(now - c.at, 0)
    change = -max(math.min(-change, c.cost - elapsed), 0)
  end
  if change ~= 0 then fill(c, used(c) + change) end
end

local function budget(c, actual)
  local w = window(c)
  if holds(w, c.at) then spend(c, w, c.at, actual - c.cost) end
end

-- What is held goes first: a Redis that is full does not refuse that, and then
-- lets the script do the rest.
for i, key in ipairs(KEYS) do
  if ARGV[7 * i - 4] == 'flight' then call('ZREM', key, ARGV[2]) end
end
for i = 1, #KEYS do
  local at = 7 * i - 4
  if ARGV[at] ~= 'flight' then
    local c, actual = claim(i, at), tonumber(ARGV[at + 5])
    c.cost, c.at = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 6])
    if c.kind == 'rate' then rate(c, actual) else budget(c, actual) end
  end
end
return now
