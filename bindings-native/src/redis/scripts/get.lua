local nonce, from, to = ARGV[1], ARGV[2], ARGV[3]
local length = redis.call('STRLEN', KEYS[1])
if length == 0 and not exists() then
  return {'not_found'}
end
if from == '' then
  return {'ok', length, version(nonce), redis.call('GET', KEYS[1])}
end
from, to = tonumber(from), math.min(tonumber(to), length)
-- GETRANGE has no way to ask for nothing.
if from >= to then
  return {'ok', length, version(nonce), ''}
end
local bytes = redis.call('GETRANGE', KEYS[1], string.format('%.0f', from), string.format('%.0f', to - 1))
return {'ok', length, version(nonce), bytes}
