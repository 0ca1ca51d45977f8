-- Of objects that were found to be missing: one that somebody was just about to create may be there by now.
local oldest = now() - PATIENCE_MS
for _, key in ipairs(ARGV) do
  local seen = redis.call('ZSCORE', KEYS[2], key)
  if not seen or tonumber(seen) < oldest then
    redis.call('ZREM', KEYS[1], key)
    redis.call('ZREM', KEYS[2], key)
  end
end
return {'ok'}
