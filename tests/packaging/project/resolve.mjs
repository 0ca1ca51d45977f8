console.log(import.meta.resolve("turnkeep"));
