-- settle.lua settles what one ticket has taken: what it held and did not use is
-- given back, what it used beyond is charged.
--
-- KEYS  the counter of each claim that was taken
-- ARGV  clock, the lease; then of each claim its kind, limit, width, length,
--       cost, actual, and the instant at which it was taken
local lease = ARGV[2]
local all = claims(3, {'limit', 'width', 'length', 'cost', 'actual', 'at'})
local settle = {}

-- See ledger.Charge: no more is given back than time has not yet.
function settle.rate(c)
  local change = c.actual - c.cost
  if change < 0 then
    local elapsed = math.max(now - c.at, 0)
    change = -math.max(math.min(-change, c.cost - elapsed), 0)
  end
  if change ~= 0 then fill(c, used(c) + change) end
end

local function budget(c)
  local w = window(c)
  if not holds(w, c.at) then return end
  local _, _, old = spent(c, w)
  spend(c, w, c.at, c.actual - c.cost, old)
end

settle.day, settle.month, settle.rolling = budget, budget, budget

-- What is held goes first: a Redis that is full does not refuse that, and then
-- lets the script do the rest.
for _, c in ipairs(all) do
  if c.kind == 'flight' then redis.call('ZREM', c.key, lease) end
end
for _, c in ipairs(all) do
  if c.kind ~= 'flight' then settle[c.kind](c) end
end
return now
