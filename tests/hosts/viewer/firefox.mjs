export async function firefox() { throw new Error("todo"); }
