// The strip above the conversation: tokens over the length of the session, and where something happened.
// It is a slider: arrow keys and clicks go to places.

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";

import type { Mark, SessionModel } from "../model/types";
import type { App } from "./app";
import { type ChartData, type Tick, barAt, chartData } from "./chart-data";
import { isPartlyRead } from "./survey";

const WIDTH = 1_000;
const HEIGHT = 32;

/** More than that, and they would hide the bars. */
const BOUNDARIES_MAX = 60;

export function Chart({ app, model }: { readonly app: App; readonly model: SessionModel }): JSX.Element | null {
  const chart = useRef<HTMLDivElement>(null);
  const hovered = useSignal<number | undefined>(undefined);
  // Of what is only known in parts, sizes tell more than the turns that happened to be looked at.
  const data = useComputed(() => {
    const turns = isPartlyRead(model) ? [] : model.turns.value;
    return chartData(model.layout.value, turns, model.marks.value);
  }).value;
  const { bars, rows } = data;
  if (bars.length < 2) {
    return null;
  }

  const current = app.here.value;
  const here = barAt(bars, current);
  const rowUnder = (event: MouseEvent): number => {
    const box = chart.current?.getBoundingClientRect();
    const share = box === undefined ? 0 : (event.clientX - box.left) / box.width;
    return Math.max(0, Math.min(rows - 1, Math.floor(share * rows)));
  };
  /** To what is shown nearest before it: a filter stays as it is. */
  const goTo = (row: number): void => {
    const { shown } = model;
    if (shown.value.length > 0) {
      model.goTo(shown.value.rowAt(Math.max(0, shown.value.indexOf(row))));
    }
  };
  const goToBar = (index: number): void => goTo(bars[Math.max(0, Math.min(bars.length - 1, index))]?.row ?? 0);
  const onKeyDown = (event: KeyboardEvent): void => {
    const acts: Readonly<Record<string, () => void>> = {
      ArrowRight: () => goToBar(here + 1),
      ArrowUp: () => goToBar(here + 1),
      ArrowLeft: () => goToBar(here - 1),
      ArrowDown: () => goToBar(here - 1),
      PageUp: () => goToBar(here + 10),
      PageDown: () => goToBar(here - 10),
      Home: () => goToBar(0),
      End: () => goToBar(bars.length - 1),
    };
    const act = acts[event.key];
    if (act !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      event.stopPropagation();
      act();
    }
  };

  const tip = hovered.value === undefined ? undefined : bars[barAt(bars, hovered.value)];
  return (
    <div
      ref={chart}
      class="chart no-print"
      role="slider"
      tabIndex={0}
      aria-label="Place in the session"
      aria-valuemin={1}
      aria-valuemax={bars.length}
      aria-valuenow={here + 1}
      aria-valuetext={bars[here]?.label}
      onKeyDown={onKeyDown}
      onClick={(event) => goTo(rowUnder(event))}
      onPointerMove={(event) => (hovered.value = rowUnder(event))}
      onPointerLeave={() => (hovered.value = undefined)}
    >
      <Drawing data={data} current={current} />
      {tip !== undefined && (
        <div class="chart-tip" style={{ left: `${tipPlace((tip.row + tip.end) / 2 / rows)}%` }}>
          {tip.label}
        </div>
      )}
    </div>
  );
}

function Drawing({ data, current }: { readonly data: ChartData; readonly current: number }): JSX.Element {
  const ticks = useRef<{ of?: ChartData; bars: string; paths: [string, string][] }>({ bars: "", paths: [] });
  // The position moves with every scroll; all else only when more was read.
  if (ticks.current.of !== data) {
    ticks.current = { of: data, bars: barsPath(data), paths: tickPaths(data) };
  }
  const x = (current / Math.max(1, data.rows)) * WIDTH;
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <path class="chart-bars" d={ticks.current.bars} />
      {ticks.current.paths.map(([what, path]) => (
        <path key={what} class="chart-tick" data-what={what} d={path} />
      ))}
      <path class="chart-here" d={`M${x.toFixed(1)} 0V${HEIGHT}`} />
    </svg>
  );
}

/** All bars as one shape. Their heights go by the square root, or one huge turn would flatten the rest. */
function barsPath({ bars, max, rows }: ChartData): string {
  const scale = WIDTH / Math.max(1, rows);
  return bars
    .map((bar) => {
      const left = bar.row * scale;
      const width = (bar.end - bar.row) * scale;
      const right = left + width - Math.min(1, width / 4);
      const top = HEIGHT - Math.sqrt(bar.size / Math.max(1, max)) * (HEIGHT - 6);
      return `M${left.toFixed(1)} ${HEIGHT}V${top.toFixed(1)}H${right.toFixed(1)}V${HEIGHT}z`;
    })
    .join("");
}

/** One shape for each kind of mark: errors stand at the top edge, boundaries go from top to bottom. */
function tickPaths({ ticks, rows }: ChartData): [string, string][] {
  const paths = new Map<Mark["what"], string>();
  const isDense = ticks.filter(isBoundary).length > BOUNDARIES_MAX;
  for (const { row, what } of ticks) {
    const x = ((row / Math.max(1, rows)) * WIDTH).toFixed(1);
    const length = isBoundary({ what }) && !isDense ? HEIGHT : 5;
    paths.set(what, `${paths.get(what) ?? ""}M${x} 0v${length}`);
  }
  return [...paths];
}

function isBoundary({ what }: Pick<Tick, "what">): boolean {
  return what !== "error" && what !== "withheld";
}

/** In per cent; the tip is not to stand out over the edges. */
function tipPlace(share: number): number {
  return Math.max(0, Math.min(1, share)) * 100;
}
