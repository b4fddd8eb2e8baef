-- common.lua stands before every other script: the time, windows, and how a
-- counter stands. All times are microseconds since 1970, all money nanodollars;
-- numbers stay below 2^53, so that a double holds them exactly.

-- ARGV[1] is the clock of a test, or empty: then it is Redis's own. The keys of
-- a test live an hour longer, for its clock may be slower than Redis's.
--
-- A Redis that is full (maxmemory) refuses what may need memory only as the
-- first write of a script. So whatever takes begins with such a write: it is
-- done whole or not at all.
local now, slack = tonumber(ARGV[1]), 3600000
if not now then
  local time = redis.call('TIME')
  now, slack = time[1] * 1000000 + time[2], 0
end

local DAY, HOUR = 86400000000, 3600000000
local NEVER, UNKNOWN = -1, -2 -- waits that are no time

-- integer writes a number in digits only; tostring would round it to 14.
local function integer(n) return string.format('%.0f', n) end

-- millis is micros, rounded up, as the expiry of a key.
local function millis(micros) return integer(math.ceil(micros / 1000) + slack) end

-- claims reads one claim for each key. Its arguments begin at ARGV[first]: its
-- kind, and then the named numbers.
local function claims(first, names)
  local all = {}
  for i, key in ipairs(KEYS) do
    local at = first + (i - 1) * (#names + 1)
    local c = {key = key, kind = ARGV[at]}
    for j, name in ipairs(names) do c[name] = tonumber(ARGV[at + j]) end
    all[i] = c
  end
  return all
end

-- used returns for how long the bucket c.key is from full, by the depth that
-- the claim brings, and whether the bucket was written by another depth: see
-- Bucket.Used, which rounds the same.
local function used(c)
  local full, depth = string.match(redis.call('GET', c.key) or '', '^(%d+) (%d+)$')
  if not full then return 0, false end
  local left = full - now
  if left <= 0 then return 0, false end
  depth = tonumber(depth)
  if depth == c.limit or depth <= 0 then return left, depth ~= c.limit end
  return math.ceil(left * (c.limit / depth)), true
end

-- fill writes a bucket that will be full in so many microseconds. A full one
-- needs no key.
local function fill(c, left)
  if left <= 0 then
    redis.call('DEL', c.key)
    return
  end
  redis.call('SET', c.key, integer(now + left) .. ' ' .. integer(c.limit), 'PX', millis(left))
end

-- hold lets a lease live until expiry, drops those that have expired, and lets
-- the key live as long as the last.
local function hold(key, expiry, lease)
  redis.call('ZADD', key, integer(expiry), lease)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', integer(now))
  local last = redis.call('ZREVRANGE', key, 0, 0, 'WITHSCORES')
  redis.call('PEXPIRE', key, millis(last[2] - now))
end

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
    return {slice = now - now % c.width, stay = c.width + c.length, grace = 0}
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
  local all = redis.call('HGETALL', c.key)
  for i = 1, #all, 2 do
    local slice, amount = tonumber(all[i]), tonumber(all[i + 1])
    if holds(w, slice) then
      sum = sum + amount
      slices[#slices + 1] = {slice, amount}
    elseif slice < w.slice and now - w.slice >= w.grace then
      old[#old + 1] = all[i]
    end
  end
  table.sort(slices, function(a, b) return a[1] < b[1] end)
  return sum, slices, old
end

-- spend adds to what was spent in a slice, down to nothing, drops those that
-- have left, and lets the key live until the slice of now has left.
local function spend(c, w, slice, amount, old)
  local field = integer(slice)
  amount = (tonumber(redis.call('HGET', c.key, field)) or 0) + amount
  if amount > 0 then
    redis.call('HSET', c.key, field, integer(amount))
  else
    old[#old + 1] = field
  end
  if #old > 0 then redis.call('HDEL', c.key, unpack(old)) end
  redis.call('PEXPIRE', c.key, millis(leaves(w, w.slice) + w.grace))
end

