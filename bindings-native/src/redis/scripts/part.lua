local number, bytes = ARGV[1], ARGV[2]
if not exists() then
  return {'not_found'}
end
redis.call('HSET', KEYS[1], number, bytes)
redis.call('PEXPIRE', KEYS[1], PATIENCE_MS)
return {'ok'}
