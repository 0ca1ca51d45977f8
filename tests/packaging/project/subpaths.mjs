await import("turnkeep/fs");
await import("turnkeep/memory");
await import("turnkeep/redis");
await import("turnkeep/s3");
