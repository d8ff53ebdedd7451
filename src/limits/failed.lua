-- Makes an account wait whose password was given wrong, unless its failures were forgotten meanwhile.
--
-- KEYS[1]  the account
-- ARGV[1]  the present moment in microseconds

local count = tonumber(redis.call('HGET', KEYS[1], 'count') or nil)
if count then
  local before = tonumber(redis.call('HGET', KEYS[1], 'opens') or nil) or 0
  local opens = math.max(before, tonumber(ARGV[1]) + wait_after(count))
  redis.call('HSET', KEYS[1], 'opens', string.format('%.0f', opens))
end
