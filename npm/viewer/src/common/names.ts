// Names out of addresses and files.

/** Percent-encoded text as it was; as it is, where that is none. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
