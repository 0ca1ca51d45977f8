-- Before an object may come to be: the index names it from then on.
redis.call('ZADD', KEYS[1], 0, ARGV[1])
redis.call('ZADD', KEYS[2], string.format('%.0f', now()), ARGV[1])
return {'ok'}
