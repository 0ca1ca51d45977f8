local nonce, ttl, condition, wanted, bytes = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
return obstacle(condition, wanted) or write(bytes, nonce, ttl)
