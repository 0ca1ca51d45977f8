// What harmless contents become: `[name, element, what to look at, what it is to be]`.

import { Arguments } from "../../../npm/viewer/src/content/call";
import { Code, Json } from "../../../npm/viewer/src/content/code";
import { Image } from "../../../npm/viewer/src/content/image";
import { Markdown } from "../../../npm/viewer/src/content/markdown";
import { Output } from "../../../npm/viewer/src/content/output";
import { summaryOf } from "../../../npm/viewer/src/content/summary";
import { visible } from "../../../npm/viewer/src/content/visible";

const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const text = (place) => place.textContent;
const html = (place) => place.firstChild.innerHTML;
const count = (selector) => (place) => place.querySelectorAll(selector).length;
const summary = (name, args) => <p>{summaryOf(name, typeof args === "string" ? args : JSON.stringify(args))}</p>;

export const expected = [
  ["numbers stay", <Json text='{"id":12345678901234567890,"x":1.0,"y":-0,"z":1e999}' />, text, '{"id": 12345678901234567890, "x": 1.0, "y": -0, "z": 1e999}'],
  ["repeated names stay", <Json text={'{"a":[1,{"b":2}],"a":"\\u0041"}'} />, text, '{\n  "a": [\n    1,\n    {"b": 2}\n  ],\n  "a": "\\u0041"\n}'],
  ["JSON that was cut", <Json text='{"a":[1,{"b":"x' />, text, '{\n  "a": [\n    1,\n    {\n      "b": "x'],
  ["no JSON", <Json text="[1 2]" />, text, "[1 2]"],
  ["highlighted", <Code text="const a = '<b>&amp;';" language="js" />, count(".hl-keyword, .hl-string"), 2],
  ["highlighted text is the same", <Code text={"const a = '<b>&amp;&#x27;';"} language="js" />, text, "const a = '<b>&amp;&#x27;';"],
  ["hidden characters", <Code text={"a\u202Eb\u{E0041}"} />, text, "a<U+202E>b<U+E0041>"],
  ["emoji and scripts stay", <p>{visible("👩‍💻 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️ 1️⃣")}</p>, text, "👩‍💻 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️ 1️⃣"],
  ["progress", <Output text={"a\n10%\r50%\r100%\ndone\r\n"} />, (place) => text(place.querySelector("pre")), "a\n100%\ndone\n"],
  ["colours", <Output text={"\x1b[1;31mred\x1b[0m \x1b[38;5;208mx\x1b[38;2;1;2;3my"} />, count(".c-fg.c-bold, .c-fg-any"), 3],
  ["links of terminals", <Output text={"\x1b]8;;https://x.example\x1b\\here\x1b]8;;\x1b\\!"} />, (place) => text(place.querySelector("pre")), "here!"],
  ["a string that does not end hides nothing", <Output text={"\x1b]0;shown"} />, (place) => text(place.querySelector("pre")), "0;shown"],
  ["a diff", <Output text={"--- a\n+++ b\n@@ -1,2 +1,2 @@\n--- old\n+++ new\n same"} />, (place) => [".c-removed", ".c-added", ".c-about"].map((kind) => count(kind)(place)).join(), "1,1,2"],
  ["an edit", <Arguments name="Edit" json='{"file_path":"a","old_string":"x = 1;\ny","new_string":"x = 2;\ny"}' />, (place) => [".c-removed", ".c-added", ".c-same", ".c-new"].map((kind) => count(kind)(place)).join(), "1,1,1,2"],
  ["other members", <Arguments name="Bash" json='{"command":"ls","timeout":12345678901234567890}' />, text, 'ls{"timeout": 12345678901234567890}'],
  ["a name that stands twice", <Arguments name="Bash" json='{"command":"ls","command":"rm"}' />, text, '{"command": "ls", "command": "rm"}'],
  ["an edit that was cut", <Arguments name="Write" json='{"path":"a.js","content":"const a\\nb\\' />, count(".c-written .hl-keyword"), 1],
  ["summary: command", summary("Bash", { description: "d", command: "ls\n  -l" }), text, "ls -l"],
  ["summary: words", summary("shell", { command: ["bash", "-lc", "echo a"] }), text, "echo a"],
  ["summary: sought", summary("Grep", { path: "src", pattern: "x" }), text, "x in src"],
  ["summary: patch", summary("apply_patch", { input: "*** Begin Patch\n*** Add File: a\n*** Update File: b\n" }), text, "a and 1 more"],
  ["summary: bounded", summary("x", { prompt: "word ".repeat(1_000) }), (place) => text(place).length, 160],
  ["summary: nothing", summary("x", "{}"), text, ""],
  ["summary: numbers", summary("x", '{"a":12345678901234567890}'), text, "a: 12345678901234567890"],
  ["emphasis", <Markdown text={"**a** *b*\n`c`"} />, html, '<p dir="auto"><strong>a</strong> <em>b</em><br><code>c</code></p>\n'],
  ["HTML is text", <Markdown text={"<b>x</b> &amp; \\<i>"} />, html, '<p dir="auto">&lt;b&gt;x&lt;/b&gt; &amp;amp; &lt;i&gt;</p>\n'],
  ["a link says where it leads", <Markdown text="[a](https://x.example/b)" />, text, "a (https://x.example/b)\n"],
  ["a link that is its address", <Markdown text="https://x.example and <me@x.example>" />, text, "https://x.example and me@x.example\n"],
  ["letters that look alike", <Markdown text={"<https://\u0430pple.com>"} />, text, "https://\u0430pple.com (https://xn--pple-43d.com/)\n"],
  ["tasks", <Markdown text={"- [x] a\n- [ ] b"} />, (place) => [count("li")(place), count(".c-done")(place)].join(), "2,1"],
  ["a table", <Markdown text={"|a|b|\n|-|-:|\n|1|2|"} />, count("td.c-right, th.c-right"), 2],
  ["nested code", <Markdown text={"- a\n  ```py\n  import x\n  ```"} />, count("li pre .hl-keyword"), 1],
  ["an image", <Image mediaType="image/png" data={PIXEL} />, (place) => place.querySelector("img").naturalWidth, 1],
  ["an image in Markdown", <Markdown text={`![x](data:image/png;base64,${PIXEL})`} />, (place) => place.querySelector("img").naturalWidth, 1],
  ["an image elsewhere", <Image url="https://x.example/a.png" />, text, "Image that is not in this file: https://x.example/a.png"],
];
