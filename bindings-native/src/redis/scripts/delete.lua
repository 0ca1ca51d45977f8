local condition, wanted = ARGV[1], ARGV[2]
if not exists() then
  return {'not_found'}
end
local found = obstacle(condition, wanted)
if found then
  return found
end
redis.call('DEL', KEYS[1], KEYS[2])
return {'ok'}
