-- The member makes the hash be there before its first part.
redis.call('HSET', KEYS[1], 'stage', '')
redis.call('PEXPIRE', KEYS[1], PATIENCE_MS)
return {'ok'}
