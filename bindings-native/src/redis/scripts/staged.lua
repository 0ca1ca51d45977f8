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
