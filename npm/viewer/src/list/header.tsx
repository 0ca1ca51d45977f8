import type { JSX } from "preact";

import type { Row, Usage } from "../engine/api";
import { cost, time, tokens, tokensInFull } from "./format";
import { Icon } from "./icons";
import { copyMarkdown, type InList, setFold, useOpened } from "./list";
import { rawKey } from "./raw";
import { ROLE_NAMES } from "./row";

interface Props extends InList {
  readonly known: Row;
}

/** Who, which number, when, and what it took. */
export function Header({ list, known, usage }: Props & { readonly usage: Usage | undefined }): JSX.Element {
  return (
    <header>
      <span class="role">{ROLE_NAMES[known.role]}</span>
      <Number known={known} />
      {known.model !== undefined && <span class="model">{known.model}</span>}
      <Actions list={list} known={known} />
      <span class="space" />
      {usage !== undefined && <span class="tokens" title={tokensInFull(usage)}>{tokens(usage)}</span>}
      {usage?.cost !== undefined && <span class="tokens">{cost(usage.cost)}</span>}
      <Time ms={known.ts} />
    </header>
  );
}

export function Number({ known }: { readonly known: Row }): JSX.Element | null {
  return known.seq === undefined ? null : <span class="number">#{known.seq}</span>;
}

export function Time({ ms }: { readonly ms: number | undefined }): JSX.Element | null {
  const at = ms === undefined ? undefined : time(ms);
  return at === undefined ? null : <time dateTime={at.iso} title={at.title}>{at.text}</time>;
}

export function Actions({ list, known }: Props): JSX.Element {
  const { host } = list;
  const isRaw = useOpened(list, rawKey(known.row));
  return (
    <span class="actions">
      <button type="button" class="plain" aria-label="Copy link" title="Copy link" onClick={() => host.copyLink(known.row)}>
        <Icon name="link" />
      </button>
      <button type="button" class="plain" aria-label="Copy as Markdown" title="Copy as Markdown"
        onClick={() => void copyMarkdown(list, known.row)}>
        <Icon name="copy" />
      </button>
      <button type="button" class="plain" aria-label="Raw line" title="Raw line" aria-expanded={isRaw}
        onClick={() => setFold(list, rawKey(known.row), !isRaw)}>
        <Icon name="raw" />
      </button>
    </span>
  );
}
