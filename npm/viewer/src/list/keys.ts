// What keys do in the list. Who binds them says which; the focus goes with them.

import type { Mark, SessionModel } from "../model/types";
import { rawKey } from "./list";

const TO_ROW = { focus: true, at: "nearest" } as const;

export function nextRow(model: SessionModel): void {
  const { current, shown } = model;
  step(model, current.value === undefined ? 0 : shown.value.indexOf(current.value) + 1);
}

export function previousRow(model: SessionModel): void {
  const { current, shown } = model;
  step(model, current.value === undefined ? 0 : shown.value.indexOf(current.value) - 1);
}

function step(model: SessionModel, index: number): void {
  const shown = model.shown.value;
  if (shown.length > 0) model.goTo(shown.rowAt(Math.max(0, Math.min(index, shown.length - 1))), TO_ROW);
}

export function nextTurn(model: SessionModel): void {
  const row = model.current.value ?? -1;
  const turn = model.turns.value.find((turn) => turn.row > row);
  if (turn !== undefined) model.goTo(turn.row, { focus: true });
}

export function previousTurn(model: SessionModel): void {
  const row = model.current.value ?? -1;
  const turn = model.turns.value.findLast((turn) => turn.row < row);
  if (turn !== undefined) model.goTo(turn.row, { focus: true });
}

/** Goes to what failed or is damaged; false where nothing does, as far as it was read. */
export function nextFailure(model: SessionModel): boolean {
  const row = model.current.value ?? -1;
  return goToMark(model, failuresOf(model).find((mark) => model.drawnAt(mark.row) > row));
}

export function previousFailure(model: SessionModel): boolean {
  const row = model.current.value ?? -1;
  return goToMark(model, failuresOf(model).findLast((mark) => model.drawnAt(mark.row) < row));
}

function failuresOf(model: SessionModel): readonly Mark[] {
  return model.marks.value.filter(({ what }) => what === "error" || what === "gap");
}

function goToMark(model: SessionModel, mark: Mark | undefined): boolean {
  if (mark !== undefined) model.goTo(mark.row, { focus: true });
  return mark !== undefined;
}

export function first(model: SessionModel): void {
  const shown = model.shown.value;
  if (shown.length > 0) model.goTo(shown.rowAt(0), { focus: true });
}

export function last(model: SessionModel): void {
  const shown = model.shown.value;
  if (shown.length > 0) model.goTo(shown.rowAt(shown.length - 1), { focus: true, at: "end" });
}

/** Opens what is folded in the current row; closes it, where all of it is open. */
export function toggleFold(model: SessionModel): void {
  if (model.current.value !== undefined) toggleFoldOf(model, model.current.value);
}

export function toggleFoldOf(model: SessionModel, row: number): void {
  const keys = foldsOf(model, row);
  const isOpen = (key: string): boolean => model.folds.value.get(key) ?? model.isUnfolded.value;
  const open = !keys.every(isOpen);
  const folds = new Map(model.folds.value);
  for (const key of keys) folds.set(key, open);
  model.folds.value = folds;
}

function foldsOf(model: SessionModel, row: number): string[] {
  const entry = model.entry(row);
  if (entry === undefined) return [];
  if (entry.role === "event" || entry.role === "gap") return [String(row)];
  return entry.parts.flatMap((part, at) => {
    const isFolded = part.type === "call" || part.type === "reasoning" || ("title" in part && part.title !== undefined);
    return isFolded ? [`${row}:${at}`] : [];
  });
}

/** Folds everything, or opens everything. */
export function foldAll(model: SessionModel, isOpen: boolean): void {
  model.folds.value = new Map();
  model.isUnfolded.value = isOpen;
}

/** Shows the line of the current row as it is written. */
export function toggleRaw(model: SessionModel): void {
  const row = model.current.value;
  if (row === undefined) return;
  const key = rawKey(row);
  model.folds.value = new Map(model.folds.value).set(key, !(model.folds.value.get(key) ?? false));
}
