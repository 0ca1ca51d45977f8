// Links to a session and an entry of it: `#s=<session id>&e=<seq>&head=<seq>:<hash>`, each part optional.

export interface Place {
  readonly session?: string | undefined;
  readonly seq?: number | undefined;
  /** The head that the session is expected to have: who sends a link can vouch for it so. */
  readonly head?: ExpectedHead | undefined;
}

export interface ExpectedHead {
  readonly seq: number;
  readonly hash: string;
}

export function parsePlace(hash: string): Place {
  const params = new URLSearchParams(hash.replace(/^#/, ""));
  return {
    session: params.get("s") ?? undefined,
    seq: parseSeq(params.get("e") ?? ""),
    head: parseHead(params.get("head") ?? ""),
  };
}

export function formatPlace(place: Place): string {
  const params = new URLSearchParams();
  if (place.session !== undefined) {
    params.set("s", place.session);
  }
  if (place.seq !== undefined) {
    params.set("e", String(place.seq));
  }
  if (place.head !== undefined) {
    params.set("head", formatHead(place.head));
  }
  // A colon needs no escape in a fragment, and a head is easier to compare without.
  return `#${params.toString().replaceAll("%3A", ":")}`;
}

/** `1204:` and 64 hex digits, as `turnkeep verify --head` takes it. */
export function parseHead(text: string): ExpectedHead | undefined {
  const match = /^(\d{1,15}):([0-9a-fA-F]{64})$/.exec(text.trim());
  return match === null ? undefined : { seq: Number(match[1]), hash: String(match[2]).toLowerCase() };
}

export function formatHead(head: ExpectedHead): string {
  return `${head.seq}:${head.hash}`;
}

function parseSeq(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
