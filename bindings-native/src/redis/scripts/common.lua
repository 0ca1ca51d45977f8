-- What the scripts of all verbs share. KEYS[1] is the object, KEYS[2] its version.

local function exists()
  return redis.call('EXISTS', KEYS[1]) == 1
end

-- Now, in milliseconds, by Redis's clock.
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The version of what is written now.
local function new_version(nonce)
  return string.format('%.0f-', now()) .. nonce
end

-- The object's version. Where Redis threw it away, one that nobody was ever given.
local function version(nonce)
  local found = redis.call('GET', KEYS[2])
  if found then
    return found
  end
  local fresh = '0-' .. nonce
  redis.call('SET', KEYS[2], fresh)
  local left = redis.call('PTTL', KEYS[1])
  if left >= 0 then
    redis.call('PEXPIRE', KEYS[2], math.max(left, 1))
  end
  return fresh
end

-- What keeps a write from happening, if anything does.
local function obstacle(condition, wanted)
  if condition == 'any' then
    return nil
  end
  local is_there = exists()
  if condition == 'absent' then
    return is_there and {'already_exists'} or nil
  end
  if is_there and redis.call('GET', KEYS[2]) == wanted then
    return nil
  end
  return {'conflict'}
end

-- The objects of a session expire together: one alone would be a session in pieces.
local function keep(ttl)
  for _, key in ipairs(KEYS) do
    if ttl == '0' then
      redis.call('PERSIST', key)
    else
      redis.call('PEXPIRE', key, ttl)
    end
  end
end

-- How long to keep what is about to be written. After '=' stands what is for new sessions only: one
-- that is there keeps the time it has left, or stays for ever.
local function time_of(ttl)
  if ttl:sub(1, 1) ~= '=' then
    return ttl
  end
  for _, key in ipairs(KEYS) do
    local left = redis.call('PTTL', key)
    if left ~= -2 then
      return left == -1 and '0' or string.format('%.0f', math.max(left, 1))
    end
  end
  return ttl:sub(2)
end

-- Writes the whole object.
local function write(bytes, nonce, ttl)
  local version = new_version(nonce)
  ttl = time_of(ttl)
  redis.call('SET', KEYS[1], bytes)
  redis.call('SET', KEYS[2], version)
  keep(ttl)
  return {'ok', #bytes, version}
end

-- The numbers of a stage's parts, in order; nil where there is no such stage.
local function parts(stage)
  local fields = redis.call('HKEYS', stage)
  if #fields == 0 then
    return nil
  end
  local numbers = {}
  for _, field in ipairs(fields) do
    if field ~= 'stage' then
      numbers[#numbers + 1] = tonumber(field)
    end
  end
  table.sort(numbers)
  return numbers
end

-- An hour: a writer that takes longer between two parts, or before it creates, is gone.
local PATIENCE_MS = 3600000
