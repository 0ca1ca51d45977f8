import type { JSX } from "preact";
import { useMemo } from "preact/hooks";

import { CONTENTS, EDITS, Members, PATCHES, PATHS } from "./arguments";
import { Code, Json } from "./code";
import { diffNodes, isDiff, type Line, linesOfDiff, linesOfEdit } from "./diff";
import { languageOf } from "./highlight";
import { Nodes } from "./nodes";
import { visible } from "./visible";

/** What is shown in place of some members. */
interface View {
  readonly shown: JSX.Element;
  readonly instead: readonly string[];
}

/** A call's arguments: edits as diffs, commands and texts of files as code, all else as JSON. */
export function Arguments({ name, json }: { readonly name: string; readonly json: string }): JSX.Element {
  return useMemo(() => viewOf(name, json), [name, json]);
}

function viewOf(name: string, json: string): JSX.Element {
  const members = Members.of(json);
  if (members === undefined) return isDiff(json) ? <Patch text={json} /> : <Json text={json} />;
  const view = edit(members) ?? edits(members) ?? patch(members) ?? written(members) ?? program(name, members);
  if (view === undefined) return <Json text={json} />;
  const rest = members.without(view.instead);
  return (
    <div class="c-call">
      {view.shown}
      {rest !== undefined && <Json text={rest} />}
    </div>
  );
}

function edit(members: Members): View | undefined {
  const names = EDITS.find(([before, after]) => members.raw(before) !== undefined && members.raw(after) !== undefined);
  const [before, after] = names?.map((name) => members.string(name)) ?? [];
  if (names === undefined || before === undefined || after === undefined) return undefined;
  return inFile(members, <Edit before={before} after={after} />, names);
}

/** Several edits of one file. */
function edits(members: Members): View | undefined {
  const pairs = pairsOf(members.raw("edits") ?? "");
  if (pairs === undefined) return undefined;
  const shown = pairs.map(([before, after]) => <Edit before={before} after={after} />);
  return inFile(members, <>{shown}</>, ["edits"]);
}

function patch(members: Members): View | undefined {
  const found = members.first(PATCHES);
  if (found === undefined || !isDiff(found.text)) return undefined;
  return inFile(members, <Patch text={found.text} />, [found.name]);
}

function written(members: Members): View | undefined {
  const content = members.first(CONTENTS);
  const path = members.first(PATHS);
  if (content === undefined || path === undefined) return undefined;
  const shown = (
    <div class="c-written">
      <Code text={content.text} language={languageOf(path.text)} />
    </div>
  );
  return inFile(members, shown, [content.name]);
}

function program(tool: string, members: Members): View | undefined {
  const command = members.command();
  if (command !== undefined) {
    return { shown: <Code text={command.text} language="bash" />, instead: [command.name] };
  }
  const code = members.string("code");
  if (code !== undefined) {
    const language = members.string("language") ?? (/node|js|javascript|typescript/i.test(tool) ? "typescript" : "python");
    return { shown: <Code text={code} language={language} />, instead: ["code"] };
  }
  const query = members.first(["sql", "query"]);
  if (query === undefined || !/^\s*(?:select|with|insert|update|delete|create)\s/i.test(query.text)) return undefined;
  return { shown: <Code text={query.text} language="sql" />, instead: [query.name] };
}

function inFile(members: Members, shown: JSX.Element, instead: readonly string[]): View {
  const path = members.first(PATHS);
  if (path === undefined) return { shown, instead };
  const titled = (
    <>
      <div class="c-path">
        <bdi>{visible(path.text)}</bdi>
      </div>
      {shown}
    </>
  );
  return { shown: titled, instead: [...instead, path.name] };
}

function Edit({ before, after }: { readonly before: string; readonly after: string }): JSX.Element {
  const lines = linesOfEdit(before, after);
  if (lines !== undefined) return <Diff lines={lines} />;
  return (
    <>
      <Code text={before} />
      <Code text={after} />
    </>
  );
}

function Patch({ text }: { readonly text: string }): JSX.Element {
  const lines = linesOfDiff(text);
  return lines === undefined ? <Code text={text} /> : <Diff lines={lines} />;
}

function Diff({ lines }: { readonly lines: readonly Line[] }): JSX.Element {
  return <Nodes tag="pre" class="c-code c-diff" of={[lines]} make={() => diffNodes(lines)} />;
}

/** Texts before and after, where a list holds nothing else that would be lost. */
function pairsOf(raw: string): readonly (readonly [string, string])[] | undefined {
  if (!raw.startsWith("[")) return undefined;
  try {
    const edits: unknown = JSON.parse(raw);
    if (!Array.isArray(edits) || edits.length === 0) return undefined;
    const pairs = edits.map(pairOf).filter((pair) => pair !== undefined);
    return pairs.length === edits.length ? pairs : undefined;
  } catch {
    return undefined;
  }
}

function pairOf(edit: unknown): readonly [string, string] | undefined {
  if (typeof edit !== "object" || edit === null) return undefined;
  const values = new Map<string, unknown>(Object.entries(edit));
  for (const [before, after] of EDITS) {
    const [old, current] = [values.get(before), values.get(after)];
    if (values.size === 2 && typeof old === "string" && typeof current === "string") return [old, current];
  }
  return undefined;
}
