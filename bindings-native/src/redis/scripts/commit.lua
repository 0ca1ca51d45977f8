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
