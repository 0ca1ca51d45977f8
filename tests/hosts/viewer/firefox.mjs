// Firefox over WebDriver BiDi, which it speaks by itself. No more of it than these tests need; what drives
// Chromium asks Debian's Firefox for commands that it does not know.

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ws as WebSocket } from "playwright-core/lib/utilsBundle";

const START_MS_MAX = 60_000;
/** Firefox's own requests would be taken for the page's, and first-run pages for windows. */
const PREFERENCES = {
  "app.normandy.enabled": false,
  "app.update.disabledForTesting": true,
  "browser.shell.checkDefaultBrowser": false,
  "browser.newtabpage.enabled": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "browser.startup.page": 0,
  "datareporting.policy.dataSubmissionEnabled": false,
  "extensions.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "remote.active-protocols": 1,
  "services.settings.server": "data:,",
  "toolkit.telemetry.reportingpolicy.firstRun": false,
};

/** A page in Firefox: opens addresses and evaluates; `tell` hears of requests, dialogs, windows and errors. */
export async function firefox(tell) {
  const profile = await mkdtemp(join(tmpdir(), "turnkeep-firefox-"));
  const lines = Object.entries(PREFERENCES).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`);
  await writeFile(join(profile, "user.js"), lines.join("\n"));
  const path = process.env.FIREFOX ?? "/usr/bin/firefox-esr";
  const args = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port=0"];
  const child = spawn(path, args, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  const end = async () => {
    child.kill("SIGKILL");
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const socket = await connected(`${await addressOf(child)}/session`);
    return await pageOf(commandsOver(socket, (event) => hear(event, tell)), end);
  } catch (error) {
    await end();
    throw error;
  }
}

async function addressOf(child) {
  let said = "";
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Firefox does not start: ${said}`)), START_MS_MAX);
    child.on("error", reject);
    child.on("exit", () => reject(new Error(`Firefox ended: ${said}`)));
    child.stderr.on("data", (data) => {
      said += data;
      const match = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(said);
      if (match === null) return;
      clearTimeout(timer);
      resolve(match[1]);
    });
  });
}

async function connected(url) {
  const socket = new WebSocket(url, { maxPayload: 256 * 1024 * 1024 });
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  return socket;
}

/** Sends a command and waits for its answer; everything else that comes is an event. */
function commandsOver(socket, hearEvent) {
  const waiting = new Map();
  let last = 0;
  socket.on("message", (data) => {
    const message = JSON.parse(data);
    const answer = waiting.get(message.id);
    if (answer === undefined) return hearEvent(message);
    waiting.delete(message.id);
    if (message.type === "error") answer.reject(new Error(`${message.error}: ${message.message}`));
    else answer.resolve(message.result);
  });
  socket.on("close", () => {
    for (const { reject } of waiting.values()) reject(new Error("Firefox hung up"));
  });
  return (method, params) =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      socket.send(JSON.stringify({ id: last, method, params }));
    });
}

async function pageOf(send, end) {
  await send("session.new", { capabilities: { alwaysMatch: { unhandledPromptBehavior: { default: "dismiss" } } } });
  const { contexts } = await send("browsingContext.getTree", {});
  const context = contexts[0].context;
  const events = ["network.beforeRequestSent", "browsingContext.userPromptOpened", "log.entryAdded"];
  await send("session.subscribe", { events: [...events, "browsingContext.contextCreated"] });
  return {
    open: (url) => send("browsingContext.navigate", { context, url, wait: "complete" }),
    evaluate: (expression) => evaluated(send, context, expression),
    resize: (width, height) => send("browsingContext.setViewport", { context, viewport: { width, height } }),
    /** A PNG of what is in view. */
    screenshot: async () => Buffer.from((await send("browsingContext.captureScreenshot", { context })).data, "base64"),
    close: end,
  };
}

async function evaluated(send, context, expression) {
  const params = { expression, target: { context }, awaitPromise: true };
  const { type, result, exceptionDetails } = await send("script.evaluate", params);
  if (type === "exception") throw new Error(exceptionDetails.text);
  return result.value;
}

function hear({ method, params }, tell) {
  if (method === "network.beforeRequestSent") tell(params.request.url);
  if (method === "browsingContext.userPromptOpened") tell(`a dialog: ${params.message}`);
  // Subscribing tells of the page that is already there, too.
  if (method === "browsingContext.contextCreated" && params.url !== "about:blank") tell(`a window: ${params.url}`);
  if (method === "log.entryAdded" && params.type === "javascript") tell(`an error: ${params.text}`);
}
