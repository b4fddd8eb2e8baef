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
local taking = ARGV[3] == '1'

-- How the counter of a claim stands, by the claim's kind.

local function rate(c)
  local other
  c.at = now
  c.used, other = used(c)
  -- A wait is only true if the bucket fills by the numbers that it was told by.
  if other and taking and c.used > 0 then fill(c, c.used) end
  if c.cost == 0 then c.wait = 0
  elseif c.cost > c.limit then c.wait = NEVER
  else c.wait = max(c.used + c.cost - c.limit, 0) end
  c.reset = c.used
end

local function flight(c)
  c.at, c.reset = now, 0
  c.all = call('ZCARD', c.key) -- with those that have expired
  c.used = c.all == 0 and 0 or call('ZCOUNT', c.key, '(' .. format('%.0f', now), '+inf')
  if c.limit < 1 then c.wait = NEVER
  elseif c.used >= c.limit then c.wait = UNKNOWN
  else c.wait = 0 end
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

-- take takes a claim that has room.
local function take(c)
  if c.kind == 'flight' then
    hold(c.key, tonumber(ARGV[5]), ARGV[4])
    if c.all > c.used then drop(c.key) end
    c.used = c.used + 1
    return
  end
  if c.cost == 0 then return end
  c.used = c.used + c.cost
  if c.kind == 'rate' then
    c.reset = c.used
    return fill(c, c.used)
  end
  c.reset = leaves(c.window, c.at)
  spend(c, c.window, c.at, c.cost, c.old)
end

local pass, all = taking, {}
for i = 1, #KEYS do
  local c = claim(i, 6 * i)
  c.cost, c.shadow = tonumber(ARGV[6 * i + 4]), ARGV[6 * i + 5] == '1'
  all[i] = c
  if c.kind == 'rate' then rate(c) elseif c.kind == 'flight' then flight(c) else budget(c) end
  if c.wait ~= 0 and not c.shadow then pass = false end
end

local answer, n = {pass and 1 or 0, now}, 2
for i = 1, #all do
  local c = all[i]
  local taken = pass and c.wait == 0
  if taken then take(c) end
  answer[n + 1], answer[n + 2], answer[n + 3] = taken and 1 or 0, c.used, c.wait
  answer[n + 4], answer[n + 5] = c.reset, c.at
  n = n + 5
end
return answer
