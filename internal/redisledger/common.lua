-- common.lua stands before every other script: the time, windows, and how a
-- counter stands. All times are microseconds since 1970, all money nanodollars;
-- numbers stay below 2^53, so that a double holds them exactly.

-- ARGV[1] is the clock of a test, or empty: then it is Redis's own. The keys of
-- a test live an hour longer, for its clock may be slower than Redis's.
--
-- A Redis that is full (maxmemory) refuses what may need memory only as the
-- first write of a script. So whatever takes begins with such a write: it is
-- done whole or not at all.
local call, format, match, max = redis.call, string.format, string.match, math.max
local now, slack = tonumber(ARGV[1]), 3600000
if not now then
  local time = call('TIME')
  now, slack = time[1] * 1000000 + time[2], 0
end

local DAY, HOUR = 86400000000, 3600000000
local NEVER, UNKNOWN = -1, -2 -- waits that are no time

-- millis is micros, rounded up, as the expiry of a key. Redis writes numbers
-- below 2^53 in digits only.
local function millis(micros) return math.ceil(micros / 1000) + slack end

-- claim returns the claim of KEYS[i], whose arguments begin at ARGV[at]: its
-- kind, limit, width and length; of a rate its pace is in place of the width. The
-- other fields are the scripts'.
local function claim(i, at)
  return {
    key = KEYS[i], kind = ARGV[at], limit = tonumber(ARGV[at + 1]), first = at,
    cost = 0, used = 0, at = 0, wait = 0, reset = 0, shadow = false, window = false,
  }
end

-- used returns for how long the bucket c.key is from full, by the depth and the
-- pace that the claim brings, and whether the bucket was written by others: see
-- Bucket.Used, which rounds the same.
local function used(c)
  local full, depth, pace = match(call('GET', c.key) or '', '^(%d+) (%d+) (%d+)$')
  if not full then return 0, false end
  local left = full - now
  if left <= 0 then return 0, false end
  depth, pace = tonumber(depth), tonumber(pace)
  local mine = tonumber(ARGV[c.first + 2])
  if depth == c.limit or depth <= 0 or pace == mine and mine > 0 then
    return left, depth ~= c.limit or pace ~= mine
  end
  return math.min(math.ceil(left * (c.limit / depth)), max(left, c.limit)), true
end

-- fill writes a bucket that will be full in so many microseconds. A full one
-- needs no key.
local function fill(c, left)
  if left <= 0 then
    call('DEL', c.key)
    return
  end
  call('SET', c.key, format('%.0f %.0f %.0f', now + left, c.limit, ARGV[c.first + 2]), 'PX', millis(left))
end

-- hold lets a lease live for so many microseconds. The key lives as long as the
-- last of its leases, of which another may have been given for longer.
local function hold(key, term, lease)
  call('ZADD', key, now + term, lease)
  if call('PTTL', key) < millis(term) then call('PEXPIRE', key, millis(term)) end
end

-- drop drops the leases that have expired.
local function drop(key) call('ZREMRANGEBYSCORE', key, '-inf', now) end

-- month returns the first day of the month of a day, and how many days the month
-- has; days count from 1970-01-01. Years begin in March here, so that a leap day
-- is the last of its year: the months from March on then have 31, 30, 31, 30, 31
-- days, which is what 153 days in 5 months stands for.
local function month(day)
  local floor = math.floor
  local z = day + 719468 -- days since 0000-03-01
  local era = floor(z / 146097) -- of 400 years
  local d = z - era * 146097
  local year = floor((d - floor(d / 1460) + floor(d / 36524) - floor(d / 146096)) / 365)
  local yday = d - (365 * year + floor(year / 4) - floor(year / 100))
  local m = floor((5 * yday + 2) / 153) -- 0 is March
  local first = floor((153 * m + 2) / 5)
  local days = floor((153 * (m + 1) + 2) / 5) - first
  if m == 11 then
    local y = era * 400 + year + 1 -- February is of the next year
    days = (y % 4 == 0 and y % 100 ~= 0 or y % 400 == 0) and 29 or 28
  end
  return day - yday + first, days
end

-- window returns the window of a budget: the slice that now belongs to, and
-- ends: when a window of the calendar ends, or stay: when a slice of a rolling
-- window leaves it, from its beginning. For grace after the end of a window of
-- the calendar what was spent in it is kept, should the clock be set back.
local function window(c)
  if c.kind == 'rolling' then
    local width, length = tonumber(ARGV[c.first + 2]), tonumber(ARGV[c.first + 3])
    return {slice = now - now % width, stay = width + length, grace = 0}
  end
  local day, days = math.floor(now / DAY), 1
  if c.kind == 'month' then day, days = month(day) end
  return {slice = day * DAY, ends = (day + days) * DAY, grace = HOUR}
end

-- leaves returns in how long a slice leaves the window.
local function leaves(w, slice) return (w.ends or slice + w.stay) - now end

-- holds returns whether a slice is in the window.
local function holds(w, slice)
  if w.ends then return slice == w.slice end
  return leaves(w, slice) > 0
end

-- spent returns what was spent in a window, its slices from the oldest on, each
-- {beginning, nanodollars}, and the fields of those that have left it for good.
local function spent(c, w)
  local sum, slices, old = 0, {}, {}
  local all = call('HGETALL', c.key)
  for i = 1, #all, 2 do
    local slice, amount = tonumber(all[i]), tonumber(all[i + 1])
    if holds(w, slice) then
      sum = sum + amount
      slices[#slices + 1] = {slice, amount}
    elseif slice < w.slice and now - w.slice >= w.grace then
      old[#old + 1] = all[i]
    end
  end
  if #slices > 1 then table.sort(slices, function(a, b) return a[1] < b[1] end) end
  return sum, slices, old
end

-- spend adds to what was spent in a slice, down to nothing, and drops those that
-- have left. The key lives until the slice of now has left: once a slice is new,
-- which is when that may have changed.
local function spend(c, w, slice, amount, old)
  local sum = call('HINCRBY', c.key, slice, amount)
  if sum <= 0 then
    call('HDEL', c.key, slice)
  elseif sum == amount then
    call('PEXPIRE', c.key, millis(leaves(w, w.slice) + w.grace))
  end
  if old and #old > 0 then call('HDEL', c.key, unpack(old)) end
end
