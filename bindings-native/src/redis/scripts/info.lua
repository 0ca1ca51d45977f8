local nonce = ARGV[1]
local length = redis.call('STRLEN', KEYS[1])
if length == 0 and not exists() then
  return {'not_found'}
end
return {'ok', length, version(nonce)}
