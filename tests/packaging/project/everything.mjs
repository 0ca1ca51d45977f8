export * from "turnkeep";
