import type { JSX } from "preact";

import { visible } from "../content/visible";
import type { Problem } from "../engine/api";
import { Icon } from "../common/icons";
import { type InList, useModel } from "./list";

/** What is wrong, its code, and where. */
export function Damage({ problem }: { readonly problem: Problem }): JSX.Element {
  const places = [
    problem.seq !== undefined && `entry ${problem.seq}`,
    problem.line !== undefined && `line ${problem.line}`,
    problem.offset !== undefined && `byte ${problem.offset}`,
    problem.key !== undefined && `key ${visible(problem.key)}`,
  ];
  const place = places.filter(Boolean).join(", ");
  return (
    <p class="damage">
      <Icon name="error" />
      <code>{visible(problem.code)}</code>
      <span>{visible(problem.message)}</span>
      {place !== "" && <span class="place">{place}</span>}
    </p>
  );
}

/** Why a row's block cannot be read, and the way to try again. */
export function Trouble({ list, row }: InList & { readonly row: number }): JSX.Element | null {
  const trouble = useModel(list, (model) => model.trouble(row));
  if (trouble === undefined) return null;
  return (
    <div class="trouble">
      <Damage problem={trouble} />
      <button type="button" onClick={() => list.model.retry(row)}>Try again</button>
    </div>
  );
}
