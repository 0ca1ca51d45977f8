/**
 * `<turnkeep-viewer>`: shows sessions on a page of your own: logs, archives and bundles, verified as they are
 * read. Importing this module registers it.
 *
 * @example
 * ```html
 * <script type="module">import "turnkeep/viewer";</script>
 * <turnkeep-viewer src="run-7.jsonl.gz" style="height: 100vh"></turnkeep-viewer>
 * ```
 *
 * `src` names what is shown (one or more URLs that answer range requests, between spaces), `theme` is
 * `light`, `dark` or `system`, and with `page` the element fills the window and owns address, title and keys.
 *
 * Events: `turnkeep-opened`, `turnkeep-session`, `turnkeep-verified` (its `detail` is the report) and
 * `turnkeep-failed` (its `detail` has `code` and `message`).
 */
export declare class TurnkeepViewer extends HTMLElement {
  /** The files that are shown, in place of `src`. */
  get files(): readonly NamedBlob[];
  set files(files: Iterable<File | NamedBlob>);
  /** Shows files in place of what was shown. Ends once they are listed. */
  open(files: Iterable<File | NamedBlob>): Promise<void>;
  /** Goes to a place as links name it: `#s=<session id>&e=<entry>`. */
  goTo(hash: string): Promise<void>;
}

/** Bytes and the name of the file they come from. */
export interface NamedBlob {
  readonly name: string;
  readonly blob: Blob;
}

declare global {
  interface HTMLElementTagNameMap {
    "turnkeep-viewer": TurnkeepViewer;
  }
}
