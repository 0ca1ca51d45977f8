/**
 * Runs in the page, whichever browser that is: waits until a session is read, opens all that is folded in it,
 * every pane and dialog, and looks at every node. Gives JSON: `{ faults, payloads, nodes }`.
 */
export async function inspect() {
  const TAGS = new Set(
    ("a article aside b bdi blockquote br button code dd del dialog div dl dt em fieldset form h1 h2 h3 h4 h5 h6 header hr img input kbd label legend li main nav " +
      "ol p path pre progress search section span strong svg table tbody td th thead time tr ul circle rect line").split(" "),
  );
  const ATTRIBUTES =
    /^(aria-(activedescendant|busy|describedby|expanded|haspopup|hidden|invalid|label|labelledby|level|pos[a-z]+|pressed|selected|setsize|value[a-z]+)|alt|autocomplete|checked|class|d|data-(active|dragging|error|here|kind|narrow|on|pane|role|row|row-of|state|tone|what)|datetime|decoding|dir|disabled|enterkeyhint|fill|focusable|for|height|hidden|href|id|loading|max|multiple|open|placeholder|preserveaspectratio|rel|role|scope|spellcheck|src|start|stroke|stroke-width|style|tabindex|target|title|type|value|viewbox|webkitdirectory|width)$/i;
  const IDS = /^(conversation|dialog-title|expected-head(-help)?|outline-\d+)$/;
  const DECEIVING = /[\0-\x08\x0B-\x1F\x7F-\x9F\u202A-\u202E\u2066-\u2069\u{E0000}-\u{E001F}]/u;
  const prototypes = [Object.prototype, Array.prototype, Function.prototype, String.prototype];
  const members = () => prototypes.map((prototype) => Reflect.ownKeys(prototype).length).join();
  const before = members();
  const globals = new Set(Object.getOwnPropertyNames(globalThis));
  const root = document.querySelector("turnkeep-viewer").shadowRoot;
  const faults = new Set();
  const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const until = async (holds, what) => {
    for (let tries = 0; tries < 1_000; tries += 1) {
      if (holds()) return;
      await rest(50);
    }
    faults.add(`it never came: ${what}`);
  };
  const press = (key) => root.querySelector("#conversation").dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true, cancelable: true }));

  const badge = () => root.querySelector(".badge-text")?.textContent ?? "";
  await until(() => root.querySelector(".rows article") !== null && !badge().startsWith("Verifying"), "the session");
  if (badge() !== "Intact, head unknown") faults.add(`the badge says ${badge()}`);
  press("X");
  press("f");
  const rows = () => [...root.querySelectorAll(".rows article")];
  await until(() => rows().every((row) => row.querySelector(".body, .event-line") !== null), "all rows");
  const seen = new Set();
  await until(() => {
    // Whatever can be opened is opened once.
    for (const button of root.querySelectorAll(".rows .show-all, .rows .more, .rows [aria-pressed=false]")) {
      if (!seen.has(button)) button.click();
      seen.add(button);
    }
    return rows().every((row) => row.querySelector(":scope .fold[aria-expanded=false]") === null);
  }, "all that is folded");
  await rest(300);
  look();
  for (const expander of root.querySelectorAll(".tree-errors")) expander.click();
  press("v");
  await rest(100);
  look();
  root.querySelector("dialog button[aria-label=Close]").click();
  // As it is written, of some of each sort.
  const actions = [...root.querySelectorAll(".rows button[aria-label='Raw line']")];
  for (const button of actions.filter((_, at) => at % 7 === 0)) button.click();
  await rest(500);
  look();
  page();
  return JSON.stringify({ faults: [...faults].slice(0, 40), payloads: rows().length, nodes: root.querySelectorAll("*").length });

  function look() {
    for (const element of root.querySelectorAll("*")) {
      if (element.closest("style") !== null) continue;
      if (!TAGS.has(element.localName)) faults.add(`<${element.localName}>`);
      if (element.shadowRoot !== null) faults.add(`<${element.localName}> with a shadow root`);
      for (const { name, value } of element.attributes) attribute(element, name, value);
    }
    for (const area of root.querySelectorAll(".rows, .pane, .bar, dialog, .chart")) {
      const found = DECEIVING.exec(area.textContent);
      if (found !== null) faults.add(`U+${found[0].codePointAt(0).toString(16)} is left in ${area.className || area.localName}: ${around(area.textContent, found.index)}`);
    }
  }

  function around(text, at) {
    return JSON.stringify(text.slice(Math.max(0, at - 20), at + 20));
  }

  function attribute(element, name, value) {
    const fault = () => faults.add(`<${element.localName} ${name}=${JSON.stringify(value.slice(0, 60))}>`);
    if (!ATTRIBUTES.test(name)) fault();
    if (name === "href" && !/^(https?:\/\/|mailto:)/.test(value)) fault();
    if (name === "src" && !/^(blob:|data:image\/(png|jpeg|gif|webp);base64,)/.test(value)) fault();
    if (name === "id" && !IDS.test(value)) fault();
    if (name === "for" && value !== "expected-head") fault();
    if (name === "style" && /url|expression|@|\\/i.test(value)) fault();
    if (name === "class" && /[^\w\s-]/.test(value)) fault();
    if ((name === "aria-label" || name === "title" || name === "alt") && DECEIVING.test(value.replaceAll("\n", ""))) fault();
  }

  function page() {
    if (globalThis.__pwned !== undefined) faults.add(`ran: ${globalThis.__pwned}`);
    if (members() !== before) faults.add("a prototype has changed");
    const added = Object.getOwnPropertyNames(globalThis).filter((name) => !globals.has(name) && !/^(event|__playwright.*|\d+)$/.test(name));
    if (added.length > 0) faults.add(`new globals: ${added}`);
    if (document.querySelectorAll("iframe, object, embed, base, link, frame").length > 0) faults.add("nodes in the document");
    if (document.body.querySelectorAll("*:not(script, turnkeep-viewer, noscript, noscript *)").length > 0) faults.add("nodes beside the viewer");
  }
}
