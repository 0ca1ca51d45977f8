// The keys, by what they are for.

import type { JSX } from "preact";

import type { App } from "./app";
import { Dialog } from "./dialog";
import { COMMANDS, type Command } from "./keys";

const GROUPS: readonly Command["group"][] = ["Move", "Read", "Find", "Page"];

export function HelpDialog({ app }: { readonly app: App }): JSX.Element {
  return (
    <Dialog title="Keys" onClose={() => (app.dialog.value = undefined)}>
      <div class="help">
        {GROUPS.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {COMMANDS.filter((command) => command.group === group).map((command) => (
                <div key={command.help}>
                  <dt>
                    {command.keys.map((key) => (
                      <kbd key={key}>{key === "Escape" ? "Esc" : key}</kbd>
                    ))}
                  </dt>
                  <dd>{command.help}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p class="muted">
        In the outline and the chart the arrow keys move. The browser's own find (Ctrl+F or ⌘F) is left as it is; it sees
        what is unfolded, the search here sees all.
      </p>
    </Dialog>
  );
}
