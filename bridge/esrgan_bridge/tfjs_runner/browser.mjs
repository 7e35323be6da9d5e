// A page in a browser without a window that computes for another process. The page and all that it loads come from a server on
// 127.0.0.1, which this process is too.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";
import { launchFirefox } from "./firefox.mjs";
import { say, serve, words, writeNumbers } from "./worker.mjs";

const types = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".json": "application/json",
  ".wasm": "application/wasm" };
const common = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--disable-dev-shm-usage", "--ignore-gpu-blocklist"];
// each set is tried in turn until the backend starts: a GPU first, or Mesa's software GPU, then Chromium's own
const usual = {
  webgl: process.platform === "linux"
    ? [["--use-angle=gl-egl", "--disable-gpu-sandbox"], ["--enable-unsafe-swiftshader"]]
    : [[], ["--enable-unsafe-swiftshader"]],
  webgpu: [["--enable-unsafe-webgpu"]],
};

/**
 * Open page.html, and answer requests by it until stdin ends.
 *
 * The page has three functions. `start(name, threads)` gives {facts} where it runs, else {missing} with the reason;
 * `load()` loads the network; `run({batch, shape, ..., result})` fetches the numbers from `batch`, posts those of its
 * answer to `result`, and gives what is told of it, with their shape.
 *
 * @param driver    folder of the package.json beside which playwright-core is installed
 * @param browser   "chromium" or "firefox"
 * @param program   the browser's path
 * @param roots     folders of files by the beginning of their addresses, the longest first; "/" has page.html
 * @param name      of what the page starts, after the last dash a backend: "wasm", "tfjs-webgl"
 * @param threads   that it is to take; Chromium's page is told of a machine that has twice as many
 * @param flags     of Chromium, in place of those that the backend usually needs
 * @param isolated  whether the page may share memory, without which wasm has one thread
 * @param model     what is loaded, for messages
 */
export async function runInBrowser({ driver, browser, program, roots, name, threads, isolated, model, flags }) {
  const files = { ...roots, "/batch/": process.env.ESRGAN_RUNNER_FOLDER };
  const inbox = new Map(); // path -> the numbers that the page has posted
  const server = createServer((request, response) => answer(request, response, files, inbox, isolated));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${server.address().port}/page.html`;
  const open = browser === "firefox" ? inFirefox(program, address) : inChromium(driver, program, address, name, threads, flags);
  const { page, close, facts, missing } = await start(open, browser, name, threads);
  if (missing) {
    say({ missing });
  } else {
    try {
      await page.evaluate(() => window.load());
      say({ ready: facts });
      await serve(async (request) => {
        const file = request.batch.split(/[\\/]/).pop();
        const result = `/result/${file}`;
        const told = await page.evaluate((job) => window.run(job), { ...request, batch: `/batch/${file}`, result });
        await writeNumbers(request.result, inbox.get(result));
        inbox.delete(result);
        return told;
      });
    } catch (error) {
      say({ error: `cannot load ${model}: ${words(error)}` });
    }
    await close();
  }
  server.closeAllConnections();
  server.close();
}

async function answer(request, response, roots, inbox, isolated) {
  const path = decodeURIComponent(new URL(request.url, "http://127.0.0.1").pathname);
  if (request.method === "POST") {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    inbox.set(path, Buffer.concat(chunks));
    return response.end();
  }
  const [prefix] = Object.keys(roots).filter((start) => path.startsWith(start)).sort((a, b) => b.length - a.length);
  const file = join(roots[prefix], normalize("/" + path.slice(prefix.length)));
  if (isolated) {
    response.setHeader("cross-origin-opener-policy", "same-origin");
    response.setHeader("cross-origin-embedder-policy", "require-corp");
  }
  if (!(await stat(file).catch(() => null))?.isFile()) {
    response.statusCode = 404;
    return response.end();
  }
  response.setHeader("content-type", types[extname(file)] ?? "application/octet-stream");
  return createReadStream(file).pipe(response);
}

const tell = (text) => console.error(`page: ${text}`);

/** The page: {page, version, close}. */
async function* inFirefox(program, address) {
  const browser = await launchFirefox(program, { onMessage: tell });
  yield { page: await browser.open(address), version: browser.version, close: () => browser.close() };
}

/** A page for each set of flags that may do. */
async function* inChromium(driver, program, address, name, threads, given) {
  const { chromium } = createRequire(join(driver, "package.json"))("playwright-core");
  for (const extra of given ? [given] : (usual[name.split("-").pop()] ?? [[]])) {
    const browser = await chromium.launch({
      executablePath: program,
      headless: true,
      chromiumSandbox: process.getuid?.() !== 0, // Chromium refuses to sandbox for root
      args: [...common, ...extra],
    });
    const page = await browser.newPage();
    if (threads) {
      // TF.js takes half of what the machine says
      await page.addInitScript((count) => {
        Object.defineProperty(Navigator.prototype, "hardwareConcurrency", { get: () => count });
      }, 2 * threads);
    }
    page.on("console", (message) => tell(message.text()));
    page.on("crash", () => { say({ error: "the page has crashed" }); process.exit(1); });
    page.setDefaultTimeout(0);
    await page.goto(address);
    yield { page, version: browser.version(), close: () => browser.close() };
  }
}

/** What runs, in the first page where it starts: {page, close, facts}, or why it does not: {missing}. */
async function start(pages, browser, name, threads) {
  const reasons = [];
  try {
    for await (const { page, version, close } of pages) {
      const started = await page.evaluate(([what, count]) => window.start(what, count), [name, threads]);
      if (started.facts) return { page, close, facts: { ...started.facts, [browser]: version } };
      reasons.push(started.missing);
      await close();
    }
  } catch (error) {
    return { missing: `${browser} does not start: ${words(error)}` };
  }
  return { missing: `${name} does not start in this ${browser}: ${[...new Set(reasons)].join("; ")}` };
}
