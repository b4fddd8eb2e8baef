-- take.lua decides on all claims of a ticket in one step, or reads how they
-- stand.
--
-- KEYS  the counter of each claim; no two are the same if anything is taken
-- ARGV  clock, the latest instant at which it may be done or empty, 1 to take or
--       0 to read, the lease, its microseconds; then of each claim its kind,
--       limit, width, length, cost, and 1 for a shadow
--
-- Returns 1 if they were taken, 0 if not, -1 if it was too late and nothing was
-- done; the time; then of each claim whether it was taken, what is used, its
-- wait, its reset and its instant: see ledger.Claim.
local latest = tonumber(ARGV[2])
if latest and now > latest then return {-1, now} end
local taking, lease, term = ARGV[3] == '1', ARGV[4], ARGV[5]
local all = claims(6, {'limit', 'width', 'length', 'cost', 'shadow'})

-- look says how the counter of a claim stands, by the claim's kind, and take
-- takes from one that has room.
local look, take = {}, {}

function look.rate(c)
  local other
  c.at = now
  c.used, other = used(c)
  -- A wait is only true if the bucket fills by the numbers that it was told by.
  if other and taking and c.used > 0 then fill(c, c.used) end
  if c.cost == 0 then c.wait = 0
  elseif c.cost > c.limit then c.wait = NEVER
  else c.wait = math.max(c.used + c.cost - c.limit, 0) end
  c.reset = c.used
end

function take.rate(c)
  c.used = c.used + c.cost
  c.reset = c.used
  if c.cost > 0 then fill(c, c.used) end
end

function look.flight(c)
  c.at, c.reset = now, 0
  c.used = redis.call('ZCOUNT', c.key, '(' .. integer(now), '+inf')
  if c.limit < 1 then c.wait = NEVER
  elseif c.used >= c.limit then c.wait = UNKNOWN
  else c.wait = 0 end
end

function take.flight(c)
  c.used = c.used + 1
  hold(c.key, now + term, lease)
end

-- earliest returns in how long enough slices of a budget have left its window.
local function earliest(c, slices)
  local left = c.used + c.cost - c.limit
  for _, s in ipairs(slices) do
    left = left - s[2]
    if left <= 0 then return leaves(c.window, s[1]) end
  end
  return UNKNOWN -- cannot be: without any slice it has room
end

local function budget(c)
  c.window = window(c)
  local sum, slices, old = spent(c, c.window)
  c.at, c.used, c.old = c.window.slice, sum, old
  local last = slices[#slices]
  c.reset = (c.window.ends or last) and leaves(c.window, last and last[1]) or 0
  if c.cost == 0 or sum + c.cost <= c.limit then c.wait = 0
  elseif c.cost > c.limit then c.wait = NEVER
  else c.wait = earliest(c, slices) end
end

local function pay(c)
  if c.cost == 0 then return end
  c.used, c.reset = c.used + c.cost, leaves(c.window, c.at)
  spend(c, c.window, c.at, c.cost, c.old)
end

look.day, look.month, look.rolling = budget, budget, budget
take.day, take.month, take.rolling = pay, pay, pay

local pass = taking
for _, c in ipairs(all) do
  look[c.kind](c)
  if c.wait ~= 0 and c.shadow == 0 then pass = false end
end

local answer = {pass and 1 or 0, now}
for _, c in ipairs(all) do
  local taken = pass and c.wait == 0
  if taken then take[c.kind](c) end
  for _, n in ipairs({taken and 1 or 0, c.used, c.wait, c.reset, c.at}) do
    answer[#answer + 1] = n
  end
end
return answer
