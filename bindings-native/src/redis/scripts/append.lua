local nonce, ttl, at, torn, from, mark, cut, bytes =
  ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6], ARGV[7], ARGV[8]
local length = redis.call('STRLEN', KEYS[1])
if length ~= at + torn then
  return {'conflict', length}
end
if #mark > 0 and redis.call('GETRANGE', KEYS[1], from, from + #mark - 1) ~= mark then
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
