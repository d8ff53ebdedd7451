-- Counts an attempt by each of its limits, or by none where one is reached: the rules of log.rs and
-- failures.rs, in one step for all instances.
--
-- KEYS     a limit each
-- ARGV     the present moment, then for each limit the most hits and the window they count in;
--          0 and 0 for the failures of an account. All times are in microseconds.
-- Returns  for each limit how long to wait (0 where it lets the attempt through), how many more hits
--          there is room for, and how long until there is room for one more

local now = tonumber(ARGV[1])

local function number(reply) return tonumber(reply or nil) end

-- Lua by itself would write a moment with an exponent, and lose its end.
local function text(moment) return string.format('%.0f', moment) end

local function latest(log) return number(redis.call('LINDEX', log, -1)) end

local function forget(log, window)
  local newest = latest(log)
  if newest and newest > now + window then
    redis.call('DEL', log)
    newest = nil
  end
  local present = math.max(now, newest or now)
  local hit = number(redis.call('LINDEX', log, 0))
  while hit and hit + window <= present do
    redis.call('LPOP', log)
    hit = number(redis.call('LINDEX', log, 0))
  end
end

local function frees_in(log, most, window)
  local excess = math.max(0, redis.call('LLEN', log) - most)
  local hit = number(redis.call('LINDEX', log, excess))
  return hit and math.max(0, hit + window - now) or 0
end

local function left(log, most) return math.max(0, most - redis.call('LLEN', log)) end

local function log_wait(log, most, window)
  forget(log, window)
  return left(log, most) > 0 and 0 or frees_in(log, most, window)
end

local function failures_wait(account)
  local wait = (number(redis.call('HGET', account, 'opens')) or now) - now
  return (wait < 0 or wait > LONGEST) and 0 or wait
end

local function record(log, window)
  redis.call('RPUSH', log, text(math.max(now, latest(log) or now)))
  redis.call('PEXPIRE', log, text(math.ceil(window / 1000)))
end

local function count_failure(account)
  local count = redis.call('HINCRBY', account, 'count', 1)
  redis.call('HSET', account, 'opens', text(now + math.min(wait_after(count), WHILE_JUDGED)))
  redis.call('PEXPIRE', account, text(FORGOTTEN_AFTER / 1000))
end

local standings, longest = {}, 0
local function rate(i) return tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1]) end

for i, key in ipairs(KEYS) do
  local most, window = rate(i)
  local wait
  if most > 0 then wait = log_wait(key, most, window) else wait = failures_wait(key) end
  longest = math.max(longest, wait)
  standings[3 * i - 2] = wait
end

for i, key in ipairs(KEYS) do
  local most, window = rate(i)
  if longest == 0 then
    if most > 0 then record(key, window) else count_failure(key) end
  end
  standings[3 * i - 1] = most > 0 and left(key, most) or 0
  standings[3 * i] = most > 0 and frees_in(key, most, window) or 0
end

return standings
