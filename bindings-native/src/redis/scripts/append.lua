local nonce, ttl, at, torn, start, cut, bytes =
  ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], ARGV[6], ARGV[7]
local length = redis.call('STRLEN', KEYS[1])
if length ~= at + torn then
  return {'conflict', length}
end
if #start > 0 and redis.call('GETRANGE', KEYS[1], 0, #start - 1) ~= start then
  return {'conflict', -1}
end
if #cut > 0 and redis.call('GETRANGE', KEYS[1], at, at + #cut - 1) ~= cut then
  return {'conflict', -1}
end
if at == 0 then
  return write(bytes, nonce, ttl)
end
if #bytes < torn then
  -- Redis cannot shorten a string. Rare: a batch shorter than what a crash left.
  return write(redis.call('GETRANGE', KEYS[1], 0, at - 1) .. bytes, nonce, ttl)
end
ttl = time_of(ttl)
redis.call('SETRANGE', KEYS[1], string.format('%.0f', at), bytes)
local version = new_version(nonce)
redis.call('SET', KEYS[2], version)
keep(ttl)
return {'ok', at + #bytes, version}
