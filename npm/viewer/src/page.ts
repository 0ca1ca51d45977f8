// The page of its own: shows the element over the whole window, with what `?src=` names or the page holds.

import { TurnkeepViewer } from "./element";
import type { NamedBlob } from "./engine/api";

const viewer = new TurnkeepViewer();
viewer.setAttribute("page", "");

const sources = new URLSearchParams(location.search).getAll("src");
const embedded = embeddedSession();
if (embedded !== undefined) {
  viewer.files = [embedded];
} else if (sources.length > 0) {
  viewer.setAttribute("src", sources.map((src) => new URL(src, location.href).href).join(" "));
}
document.body.append(viewer);

/** The session that `turnkeep export --html` put into the page. */
function embeddedSession(): NamedBlob | undefined {
  const script = document.getElementById("turnkeep-session");
  if (script === null) {
    return undefined;
  }
  const blob = new Blob([fromBase64(script.textContent.trim())]);
  const name = script.dataset["name"] ?? "session.jsonl.gz";
  // Its text is as long as the file, and no longer needed.
  script.remove();
  return { name, blob };
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const native = (Uint8Array as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }).fromBase64;
  if (native !== undefined) {
    return native.call(Uint8Array, text);
  }
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index += 1) {
    bytes[index] = binary.charCodeAt(index);
  }
  return bytes;
}
