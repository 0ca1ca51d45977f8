// What the build puts into the page.

declare module "turnkeep:wasm" {
  /** The wasm, gzipped, as base64. */
  const packed: string;
  export default packed;
}

declare module "turnkeep:worker" {
  /** The worker's script. */
  const script: string;
  export default script;
}

declare module "*.css" {
  const text: string;
  export default text;
}
