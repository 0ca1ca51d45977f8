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
  answer = write(table.concat(pieces), nonce, ttl)
end
redis.call('DEL', stage)
return answer
