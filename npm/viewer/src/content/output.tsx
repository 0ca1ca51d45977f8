import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { hasEscapes, terminalNodes, terminalText } from "./ansi";
import { jsonNodes } from "./code";
import { diffNodes, isDiff, linesOfDiff } from "./diff";
import { codeNodes } from "./highlight";
import { Nodes } from "./nodes";
import { showHidden } from "./visible";

/** Longer outputs lose their colours. */
const COLOURED_MAX = 524_288;

/** What a tool gave back: as a terminal would show it, as a diff, as JSON, else as it is. */
export function Output({ text }: { readonly text: string }): JSX.Element {
  const [isRaw, setRaw] = useState(false);
  if (!hasEscapes(text)) {
    return <Nodes tag="pre" class="c-code" of={[text]} make={() => plainNodes(text)} />;
  }
  return (
    <div class="c-output">
      <div class="c-choice" role="group" aria-label="How this output is shown">
        <Choice name="Rendered" isChosen={!isRaw} choose={() => setRaw(false)} />
        <Choice name="Raw" isChosen={isRaw} choose={() => setRaw(true)} />
      </div>
      <Nodes
        tag="pre"
        class="c-code"
        of={[text, isRaw]}
        make={() => (isRaw ? codeNodes(text, undefined) : renderedNodes(text))}
      />
    </div>
  );
}

function Choice(props: { readonly name: string; readonly isChosen: boolean; readonly choose: () => void }): JSX.Element {
  return (
    <button type="button" aria-pressed={props.isChosen} onClick={props.choose}>
      {props.name}
    </button>
  );
}

function renderedNodes(text: string): DocumentFragment {
  if (text.length > COLOURED_MAX) return plainNodes(terminalText(text));
  const nodes = terminalNodes(text);
  if (nodes.querySelector("span") === null) return plainNodes(nodes.textContent ?? "");
  showHidden(nodes);
  return nodes;
}

function plainNodes(text: string): DocumentFragment {
  const lines = isDiff(text) ? linesOfDiff(text) : undefined;
  if (lines !== undefined) return diffNodes(lines);
  return isJson(text) ? jsonNodes(text) : codeNodes(text, undefined);
}

/** Objects and lists only: a number or a word is as good as it is. */
function isJson(text: string): boolean {
  return /^\s*[[{]/.test(text);
}
