// What Redis does for the store: one script a verb, each of which is one step to everybody else. The
// texts are those of bindings-native/src/redis/scripts, letter by letter, which tells what they are
// given and what they give; a test compares them.

/** A script, called by the SHA-1 of its text. */
export interface Script {
  readonly text: string;
}

/** The scripts as all hosts have them. The first is none, but stands before each. @internal */
export const TEXTS = {
  common: `\
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
`,
  get: `\
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
`,
  info: `\
local nonce = ARGV[1]
local length = redis.call('STRLEN', KEYS[1])
if length == 0 and not exists() then
  return {'not_found'}
end
return {'ok', length, version(nonce)}
`,
  put: `\
local nonce, ttl, condition, wanted, bytes = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
return obstacle(condition, wanted) or write(bytes, nonce, ttl)
`,
  append: `\
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
`,
  delete: `\
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
`,
  stage: `\
-- The member makes the hash be there before its first part.
redis.call('HSET', KEYS[1], 'stage', '')
redis.call('PEXPIRE', KEYS[1], PATIENCE_MS)
return {'ok'}
`,
  part: `\
local number, bytes = ARGV[1], ARGV[2]
if not exists() then
  return {'not_found'}
end
redis.call('HSET', KEYS[1], number, bytes)
redis.call('PEXPIRE', KEYS[1], PATIENCE_MS)
return {'ok'}
`,
  staged: `\
local from, to = tonumber(ARGV[1]) or 0, tonumber(ARGV[2]) or math.huge
local numbers = parts(KEYS[1])
if not numbers then
  return {'not_found'}
end
local pieces, before = {}, 0
for _, number in ipairs(numbers) do
  local length = redis.call('HSTRLEN', KEYS[1], number)
  if before < to and before + length > from then
    local part = redis.call('HGET', KEYS[1], number)
    pieces[#pieces + 1] = part:sub(math.max(from - before, 0) + 1, math.min(to - before, length))
  end
  before = before + length
end
return {'ok', before, '', table.concat(pieces)}
`,
  commit: `\
local nonce, ttl, condition, wanted = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local stage = KEYS[3]
local numbers = parts(stage)
if not numbers then
  return {'not_found'}
end
local pieces = {}
local answer = obstacle(condition, wanted)
if not answer then
  for _, number in ipairs(numbers) do
    pieces[#pieces + 1] = redis.call('HGET', stage, number)
  end
end
-- First: nothing is kept for as long as a stage.
redis.call('DEL', stage)
return answer or write(table.concat(pieces), nonce, ttl)
`,
  abort: `\
if redis.call('DEL', KEYS[1]) == 0 then
  return {'not_found'}
end
return {'ok'}
`,
  note: `\
-- Before an object may come to be: the index names it from then on.
redis.call('ZADD', KEYS[1], 0, ARGV[1])
redis.call('ZADD', KEYS[2], string.format('%.0f', now()), ARGV[1])
return {'ok'}
`,
  prune: `\
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
`,
} as const;

/**
 * What stands before the verbs that write. Clients send a command again when the connection ends
 * before its answer: what such a call finds to be its own work is done, not in its way.
 */
const ONCE = `
local own = redis.call('GET', KEYS[2])
if own and own:sub(-#ARGV[1]) == ARGV[1] and exists() then
  return {'ok', redis.call('STRLEN', KEYS[1]), own}
end
`;

type Verb = Exclude<keyof typeof TEXTS, "common">;

function script(verb: Verb, before = ""): Script {
  return { text: TEXTS.common + before + TEXTS[verb] };
}

export const GET: Script = script("get");
export const INFO: Script = script("info");
export const PUT: Script = script("put", ONCE);
export const APPEND: Script = script("append", ONCE);
export const DELETE: Script = script("delete");
export const STAGE: Script = script("stage");
export const PART: Script = script("part");
export const STAGED: Script = script("staged");
export const COMMIT: Script = script("commit", ONCE);
export const ABORT: Script = script("abort");
export const NOTE: Script = script("note");
export const PRUNE: Script = script("prune");
