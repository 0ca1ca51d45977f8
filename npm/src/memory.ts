// turnkeep/memory: the store in memory. Reserved.

export {};
