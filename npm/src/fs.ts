// turnkeep/fs: the store in files, for Node. Reserved. The one module that may import node:
// modules.

export {};
