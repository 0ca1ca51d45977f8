// The outline: a tree of turns that follows the conversation as it is scrolled.

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";

import { visible } from "../content/visible";
import type { SessionModel } from "../model/types";
import type { App } from "./app";
import { counted } from "../common/format";
import { Icon, type IconName } from "../common/icons";
import { type Item, type MarkItem, type TurnItem, itemAt, outlineItems } from "./outline-items";
import { Pane } from "./pane";
import { SurveyNote } from "./survey";
import { useWindow } from "./use-window";

const LINE_HEIGHT = 28;

interface Props {
  readonly app: App;
  readonly model: SessionModel;
}

export function Outline({ app, model }: Props): JSX.Element {
  const isEmpty = useComputed(() => model.turns.value.length + model.marks.value.length === 0).value;
  return (
    <Pane app={app} as="nav" name="outline" label="Outline" isOpen={app.isOutlineOpen}>
      <SurveyNote model={model} />
      {isEmpty ? <p class="pane-note muted">No turns yet.</p> : <Tree app={app} model={model} />}
    </Pane>
  );
}

function Tree({ app, model }: Props): JSX.Element {
  const expanded = useSignal<ReadonlySet<number>>(new Set());
  const items = useComputed(() => outlineItems(model.turns.value, model.marks.value, expanded.value)).value;
  /** The line that keys act on, while the tree has the focus. */
  const cursor = useSignal<number | undefined>(undefined);
  const { scroller, first, end, reveal } = useWindow(items.length, LINE_HEIGHT);

  const here = itemAt(items, app.here.value);
  useEffect(() => reveal(here), [here, items.length > 0]);

  const active = Math.min(cursor.value ?? Math.max(here, 0), items.length - 1);
  const move = (to: number): void => {
    cursor.value = Math.max(0, Math.min(items.length - 1, to));
    reveal(cursor.value);
  };
  const expand = (item: Item | undefined, isExpanded: boolean): void => {
    if (item?.type === "turn" && item.isExpanded !== undefined) {
      const turns = new Set(expanded.value);
      isExpanded ? turns.add(item.turn.number) : turns.delete(item.turn.number);
      expanded.value = turns;
    }
  };
  const open = (item: Item | undefined): void => {
    if (item !== undefined) {
      if (app.isNarrow.value) {
        app.isOutlineOpen.value = false;
      }
      model.goTo(item.row, { focus: app.isNarrow.value });
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const item = items[active];
    const acts: Readonly<Record<string, () => void>> = {
      ArrowDown: () => move(active + 1),
      ArrowUp: () => move(active - 1),
      ArrowRight: () => (item?.type === "turn" && item.isExpanded === false ? expand(item, true) : move(active + 1)),
      ArrowLeft: () => (item?.type === "turn" ? expand(item, false) : move(parentOf(items, active))),
      PageDown: () => move(active + 10),
      PageUp: () => move(active - 10),
      Home: () => move(0),
      End: () => move(items.length - 1),
      Enter: () => open(item),
      " ": () => open(item),
    };
    const act = acts[event.key];
    if (act !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      event.stopPropagation();
      act();
    }
  };

  return (
    <div
      ref={scroller}
      class="tree"
      role="tree"
      aria-label="Turns"
      tabIndex={0}
      aria-activedescendant={active >= first && active < end ? `outline-${active}` : undefined}
      onKeyDown={onKeyDown}
      onBlur={() => (cursor.value = undefined)}
    >
      <div role="none" class="tree-length" style={{ height: `${items.length * LINE_HEIGHT}px` }}>
        {items.slice(first, end).map((item, offset) => (
          <Line
            key={first + offset}
            item={item}
            index={first + offset}
            isHere={first + offset === here}
            isActive={first + offset === active}
            open={() => open(item)}
            expand={(isExpanded) => expand(item, isExpanded)}
          />
        ))}
      </div>
    </div>
  );
}

interface LineProps {
  readonly item: Item;
  readonly index: number;
  readonly isHere: boolean;
  readonly isActive: boolean;
  readonly open: () => void;
  readonly expand: (isExpanded: boolean) => void;
}

function Line({ item, index, isHere, isActive, open, expand }: LineProps): JSX.Element {
  return (
    <div
      id={`outline-${index}`}
      class="tree-line"
      role="treeitem"
      aria-level={item.level}
      aria-posinset={item.position}
      aria-setsize={item.siblings}
      aria-expanded={item.type === "turn" ? item.isExpanded : undefined}
      aria-selected={isHere}
      data-active={isActive}
      style={{ top: `${index * LINE_HEIGHT}px` }}
      onClick={open}
    >
      {item.type === "turn" ? <TurnLine item={item} expand={expand} /> : <MarkLine item={item} />}
    </div>
  );
}

function TurnLine({ item, expand }: { readonly item: TurnItem } & Pick<LineProps, "expand">): JSX.Element {
  const { turn, isExpanded } = item;
  const toggle = (event: MouseEvent): void => {
    event.stopPropagation();
    expand(isExpanded !== true);
  };
  return (
    <>
      <span class="tree-number">{turn.number}</span>
      <span class="cut" title={visible(turn.preview)}>
        {visible(turn.preview) || "(no text)"}
      </span>
      {isExpanded !== undefined && (
        // The tree's arrow keys do the same; a button within a tree's item could not be reached by them.
        <span class="tree-errors" title={counted(turn.errors, "error")} onClick={toggle}>
          {turn.errors}
          <Icon name={isExpanded ? "up" : "down"} />
        </span>
      )}
    </>
  );
}

const MARK_ICONS: Readonly<Record<MarkItem["what"], IconName>> = {
  error: "error",
  compaction: "compaction",
  fork: "fork",
  truncated: "truncated",
  gap: "gap",
  withheld: "withheld",
};

function MarkLine({ item }: { readonly item: MarkItem }): JSX.Element {
  return (
    <span class="tree-mark" data-what={item.what}>
      <Icon name={MARK_ICONS[item.what]} />
      <span class="cut" title={visible(item.text)}>
        {visible(item.text)}
      </span>
    </span>
  );
}

function parentOf(items: readonly Item[], index: number): number {
  let at = index;
  while (at > 0 && items[at]?.level !== 1) {
    at -= 1;
  }
  return at;
}
