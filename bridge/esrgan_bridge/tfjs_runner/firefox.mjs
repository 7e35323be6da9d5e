// Firefox without a window, driven by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/) over its web socket:
// what playwright's pages offer that the tests need. It wants a Node with WebSocket: 22, or 20.10 with
// --experimental-websocket.

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const START_SECONDS = 60;
const END_SECONDS = 10;
const PREFERENCES = {
  "app.normandy.enabled": false,
  "app.update.disabledForTesting": true,
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "dom.ipc.processCount": 1,
  "dom.max_script_run_time": 0, // a page may compute for as long as it takes
  "extensions.getAddons.cache.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "data:,#remote-settings-dummy/v1",
  "toolkit.telemetry.enabled": false,
};

/**
 * @param program the path of Firefox
 * @param preferences more of those that about:config shows
 * @param onMessage told each line that a page writes to its console
 */
export async function launchFirefox(program, { preferences = {}, onMessage = () => undefined } = {}) {
  if (typeof WebSocket === "undefined")
    throw new Error("this Node has no WebSocket: take Node 22 or newer, or 20.10 with --experimental-websocket");
  const profile = await mkdtemp(join(process.env.ESRGAN_RUNNER_FOLDER ?? tmpdir(), "firefox-"));
  const lines = Object.entries({ ...PREFERENCES, ...preferences }).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
  );
  await writeFile(join(profile, "user.js"), lines.join(""));
  const child = spawn(
    program,
    ["--headless", "--no-remote", "--remote-debugging-port", "0", "--profile", profile, "about:blank"],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const ended = new Promise((resolve) => child.once("exit", resolve).once("error", resolve));
  const end = async () => {
    const late = setTimeout(() => child.kill("SIGKILL"), END_SECONDS * 1000);
    await ended;
    clearTimeout(late);
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  let client;
  try {
    client = await connect(`${await addressOf(child)}/session`, onMessage);
    const { capabilities } = await client.send("session.new", { capabilities: {} });
    await client.send("session.subscribe", { events: ["log.entryAdded"] });
    return {
      version: capabilities.browserVersion,
      open: (url) => openPage(client, url),
      async close() {
        await client.send("browser.close", {}).catch(() => child.kill());
        await end();
      },
    };
  } catch (error) {
    client?.close();
    child.kill();
    await end();
    throw error;
  }
}

/** Where it listens, which it says when it has started. */
function addressOf(child) {
  return new Promise((resolve, reject) => {
    const said = [];
    const fail = (how) => reject(new Error(`Firefox ${how}: ${said.slice(-4).join(" | ")}`));
    const late = setTimeout(() => fail(`does not start within ${START_SECONDS} s`), START_SECONDS * 1000);
    createInterface({ input: child.stderr }).on("line", (line) => {
      said.push(line);
      if (said.length > 20) said.shift();
      const found = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(line);
      if (!found) return;
      clearTimeout(late);
      resolve(found[1]);
    });
    child.once("exit", (status) => fail(`has ended with status ${status}`));
    child.once("error", (error) => fail(String(error.message)));
  });
}

/** Commands and their answers, by number. */
async function connect(address, onMessage) {
  const socket = new WebSocket(address);
  const waiting = new Map();
  let failure;
  const fail = (reason) => {
    failure ??= new Error(reason);
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  };
  socket.addEventListener("close", () => fail("Firefox has closed the connection"));
  socket.addEventListener("message", ({ data }) => {
    const answer = JSON.parse(data);
    if (answer.method === "log.entryAdded") onMessage(String(answer.params.text));
    const asked = waiting.get(answer.id);
    if (!asked) return;
    waiting.delete(answer.id);
    if (answer.type === "success") asked.resolve(answer.result);
    else asked.reject(new Error(`${asked.method}: ${answer.error}: ${answer.message}`));
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", () => reject(new Error(`no connection to ${address}`)), { once: true });
  });
  let number = 0;
  return {
    send(method, params) {
      return new Promise((resolve, reject) => {
        if (failure) return reject(failure);
        const id = ++number;
        waiting.set(id, { method, resolve, reject });
        socket.send(JSON.stringify({ id, method, params }));
      });
    },
    close: () => socket.close(),
  };
}

async function openPage(client, url) {
  const { context } = await client.send("browsingContext.create", { type: "tab" });
  await client.send("browsingContext.navigate", { context, url, wait: "complete" });
  return {
    /** A function of the page, its argument and its result as JSON has them. */
    async evaluate(work, argument) {
      const answer = await client.send("script.callFunction", {
        functionDeclaration: `async (given) => JSON.stringify((await (${work})(JSON.parse(given))) ?? null)`,
        arguments: [{ type: "string", value: JSON.stringify(argument ?? null) }],
        target: { context },
        awaitPromise: true,
        userActivation: true,
      });
      if (answer.type === "exception") throw new Error(answer.exceptionDetails.text.replace(/^(Uncaught )?Error: /, ""));
      return JSON.parse(answer.result.value);
    },
    close: () => client.send("browsingContext.close", { context }),
  };
}
