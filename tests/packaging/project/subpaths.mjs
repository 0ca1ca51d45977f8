await import("turnkeep/fs");
await import("turnkeep/memory");
