import type { JSX } from "preact";

import { visible } from "../content/visible";
import type { Row, Usage } from "../engine/api";
import { cost, ROLE_NAMES, time, tokens, tokensInFull } from "../common/format";
import { Icon, type IconName } from "../common/icons";
import { toggleFoldOf } from "./keys";
import { copyMarkdown, type InList, rawKey, setFold, useOpened } from "./list";

interface Props extends InList {
  readonly known: Row;
}

/** Who, which number, when, and what it took. */
export function Header({ list, known, usage }: Props & { readonly usage: Usage | undefined }): JSX.Element {
  return (
    <header>
      <span class="role">{ROLE_NAMES[known.role]}</span>
      <EntryNumber known={known} />
      {known.model !== undefined && <span class="model">{visible(known.model)}</span>}
      <Actions list={list} known={known} />
      <span class="space" />
      {usage !== undefined && <span class="tokens" title={tokensInFull(usage)}>{tokens(usage)}</span>}
      {usage?.cost !== undefined && <span class="tokens">{cost(usage.cost)}</span>}
      <Time ms={known.ts} />
    </header>
  );
}

export function EntryNumber({ known }: { readonly known: Row }): JSX.Element | null {
  return known.seq === undefined ? null : <span class="number">#{known.seq}</span>;
}

export function Time({ ms }: { readonly ms: number | undefined }): JSX.Element | null {
  const at = ms === undefined ? undefined : time(ms);
  return at === undefined ? null : <time dateTime={at.iso} title={at.title}>{at.text}</time>;
}

export function Actions({ list, known }: Props): JSX.Element {
  const { model, host } = list;
  const isRaw = useOpened(list, rawKey(known.row));
  return (
    <span class="actions">
      {known.calls !== undefined && (
        <Action icon="unfold" title="Fold or unfold" run={() => toggleFoldOf(model, known.row)} />
      )}
      <Action icon="link" title="Copy link" run={() => host.copyLink(known.row)} />
      <Action icon="copy" title="Copy as Markdown" run={() => void copyMarkdown(list, known.row)} />
      <Action icon="raw" title="Raw line" isOpen={isRaw} run={() => setFold(list, rawKey(known.row), !isRaw)} />
    </span>
  );
}

interface ActionProps {
  readonly icon: IconName;
  readonly title: string;
  readonly isOpen?: boolean;
  readonly run: () => void;
}

function Action({ icon, title, isOpen, run }: ActionProps): JSX.Element {
  return (
    <button type="button" class="plain" aria-label={title} title={title} aria-expanded={isOpen} onClick={run}>
      <Icon name={icon} />
    </button>
  );
}
