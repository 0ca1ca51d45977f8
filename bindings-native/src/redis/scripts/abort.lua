if redis.call('DEL', KEYS[1]) == 0 then
  return {'not_found'}
end
return {'ok'}
