import type { JSX } from "preact";

import { codeNodes } from "./highlight";
import { layOut, tokensOf, type Piece } from "./json-text";
import { Nodes, span } from "./nodes";
import { showHidden } from "./visible";

/** Longer JSON is laid out without colours; still longer one stands as it is. */
const COLOURED_MAX = 131_072;
const LAID_OUT_MAX = 2_097_152;

/** Source code, highlighted where its language is known. */
export function Code({ text, language }: { readonly text: string; readonly language?: string | undefined }): JSX.Element {
  return <Nodes tag="pre" class="c-code" of={[text, language]} make={() => codeNodes(text, language)} />;
}

/** JSON on lines. Its numbers, escapes and names stay as they are written. */
export function Json({ text }: { readonly text: string }): JSX.Element {
  return <Nodes tag="pre" class="c-code" of={[text]} make={() => jsonNodes(text)} />;
}

export function jsonNodes(text: string): DocumentFragment {
  const tokens = text.length <= LAID_OUT_MAX ? tokensOf(text) : undefined;
  if (tokens === undefined) return codeNodes(text, undefined);
  const pieces = layOut(tokens);
  if (text.length > COLOURED_MAX) return codeNodes(pieces.map((piece) => piece.text).join(""), undefined);
  const nodes = document.createDocumentFragment();
  nodes.append(...pieces.map(pieceNode));
  showHidden(nodes);
  return nodes;
}

const CLASSES: Partial<Record<Piece["kind"], string>> = {
  key: "hl-attr",
  string: "hl-string",
  number: "hl-number",
  literal: "hl-literal",
};

function pieceNode({ kind, text }: Piece): Node | string {
  const className = CLASSES[kind];
  return className === undefined ? text : span(className, text);
}
