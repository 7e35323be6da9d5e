// A runtime in a headless Chromium: node browser.mjs BRIDGE TFJS PACKAGES ARTEFACTS ENGINE THREADS CHROMIUM KERNELS,
// with the bridge's scripts, the folders that have node_modules (TF.js's and ours, or "-"), the network's copies, and
// the file of tfjs-esrgan's kernels, or "-". The
// page and all that it loads come from a server on 127.0.0.1, which this process is too.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { serveTimed } from "./timed.mjs";

const [bridge, tfjs, packages, artefacts, engine, threads, chromium, kernels] = process.argv.slice(2);
const worker = await import(pathToFileURL(join(bridge, "worker.mjs")).href);
const scratch = process.env.ESRGAN_RUNNER_FOLDER;
const types = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript",
  ".json": "application/json", ".wasm": "application/wasm" };
const roots = {
  "/tfjs/": join(tfjs, "node_modules"),
  "/npm/": join(packages, "node_modules"),
  "/bridge/": bridge,
  "/artefacts/": artefacts,
  "/batch/": scratch,
  "/kernels/": dirname(kernels),
  "/": fileURLToPath(new URL(".", import.meta.url)),
};
const common = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--disable-dev-shm-usage", "--ignore-gpu-blocklist"];
// each set is tried in turn until the engine starts: a GPU first, or Mesa's software GPU, then Chromium's own
const flags = {
  "tfjs-webgl": process.platform === "linux"
    ? [["--use-angle=gl-egl", "--disable-gpu-sandbox"], ["--enable-unsafe-swiftshader"]]
    : [[], ["--enable-unsafe-swiftshader"]],
  "tfjs-webgpu": [["--enable-unsafe-webgpu"]],
};
const inbox = new Map(); // path -> the numbers that the page has posted

const server = createServer(async (request, response) => {
  const path = decodeURIComponent(new URL(request.url, "http://127.0.0.1").pathname);
  if (request.method === "POST") {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    inbox.set(path, Buffer.concat(chunks));
    return response.end();
  }
  const prefix = Object.keys(roots).find((start) => path.startsWith(start));
  const file = join(roots[prefix], normalize("/" + path.slice(prefix.length)));
  // without these two a page has no shared memory, and wasm no threads
  response.setHeader("cross-origin-opener-policy", "same-origin");
  response.setHeader("cross-origin-embedder-policy", "require-corp");
  if (!(await stat(file).catch(() => null))?.isFile()) {
    response.statusCode = 404;
    return response.end();
  }
  response.setHeader("content-type", types[extname(file)] ?? "application/octet-stream");
  return createReadStream(file).pipe(response);
});

async function start(playwright, address) {
  const reasons = [];
  for (const extra of flags[engine] ?? [[]]) {
    let browser;
    try {
      browser = await playwright.launch({
        executablePath: chromium,
        headless: true,
        chromiumSandbox: process.getuid?.() !== 0, // Chromium refuses to sandbox for root
        args: [...common, ...extra],
      });
    } catch (error) {
      return { missing: `Chromium does not start: ${worker.words(error)}` };
    }
    const page = await browser.newPage();
    // TF.js takes half of what the machine says; here both runtimes shall take the threads that were asked for
    await page.addInitScript((count) => {
      Object.defineProperty(Navigator.prototype, "hardwareConcurrency", { get: () => count });
    }, 2 * Number(threads));
    page.on("console", (message) => console.error(`page: ${message.text()}`));
    page.on("crash", () => { worker.say({ error: "the page has crashed" }); process.exit(1); });
    page.setDefaultTimeout(0);
    await page.goto(`${address}/page.html`);
    const started = await page.evaluate(([name, count]) => window.start(name, count), [engine, Number(threads)]);
    if (started.facts) return { browser, page, facts: { ...started.facts, chromium: browser.version() } };
    reasons.push(started.missing);
    await browser.close();
  }
  return { missing: `${engine} does not start in this Chromium: ${[...new Set(reasons)].join("; ")}` };
}

const { chromium: playwright } = createRequire(join(tfjs, "package.json"))("playwright-core");
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const { browser, page, facts, missing } = await start(playwright, `http://127.0.0.1:${server.address().port}`);
if (missing) {
  worker.say({ missing });
} else {
  try {
    await page.evaluate(() => window.load());
    worker.say({ ready: facts });
    await serveTimed(async ({ batch, shape, result }) => {
      const name = batch.split(/[\\/]/).pop();
      const answer = await page.evaluate((given) => window.run(given), {
        batch: `/batch/${name}`, shape, result: `/result/${name}` });
      await worker.writeNumbers(result, inbox.get(`/result/${name}`));
      inbox.delete(`/result/${name}`);
      return answer;
    }, worker);
  } catch (error) {
    worker.say({ error: `cannot load ${artefacts}: ${worker.words(error)}` });
  }
  await browser.close();
}
server.closeAllConnections();
server.close();
