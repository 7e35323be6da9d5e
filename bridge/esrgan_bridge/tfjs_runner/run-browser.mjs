// TF.js in a headless Chromium: node run-browser.mjs PACKAGES MODEL BACKEND CHROMIUM
// [KERNELS], with the file of the kernels for the backend "kernels". The page and all that it
// loads come from a server on 127.0.0.1, which this process is too.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { say, serve, words, writeNumbers } from "./worker.mjs";

const [packages, folder, backend, chromium, kernels] = process.argv.slice(2);
const here = fileURLToPath(new URL(".", import.meta.url));
const scratch = process.env.ESRGAN_RUNNER_FOLDER;
const types = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".json": "application/json",
  ".wasm": "application/wasm" };

const common = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--disable-dev-shm-usage"];
// each set is tried in turn until the backend starts: a GPU first, or Mesa's software GPU, then Chromium's own
const flags = {
  wasm: [[]],
  kernels: [[]],
  webgl: process.platform === "linux"
    ? [["--use-angle=gl-egl", "--ignore-gpu-blocklist", "--disable-gpu-sandbox"], ["--enable-unsafe-swiftshader"]]
    : [["--ignore-gpu-blocklist"], ["--enable-unsafe-swiftshader"]],
  webgpu: [["--enable-unsafe-webgpu", "--ignore-gpu-blocklist"]],
};

const roots = { "/npm/": join(packages, "node_modules"), "/model/": folder, "/batch/": scratch,
  ...(kernels ? { "/kernels/": dirname(kernels) } : {}), "/": here };
const inbox = new Map(); // name -> the numbers that the page has posted

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
  if (!(await stat(file).catch(() => null))?.isFile()) {
    response.statusCode = 404;
    return response.end();
  }
  if (kernels) {
    // without these two a page has no shared memory, and the kernels one thread
    response.setHeader("cross-origin-opener-policy", "same-origin");
    response.setHeader("cross-origin-embedder-policy", "require-corp");
  }
  response.setHeader("content-type", types[extname(file)] ?? "application/octet-stream");
  return createReadStream(file).pipe(response);
});

async function start(playwright, address) {
  const reasons = [];
  for (const extra of flags[backend]) {
    let browser;
    try {
      browser = await playwright.launch({
        executablePath: chromium,
        headless: true,
        chromiumSandbox: process.getuid?.() !== 0, // Chromium refuses to sandbox for root
        args: [...common, ...extra],
      });
    } catch (error) {
      return { missing: `Chromium does not start: ${words(error)}` };
    }
    const page = await browser.newPage();
    page.on("console", (message) => console.error(`page: ${message.text()}`));
    page.on("crash", () => { say({ error: "the page has crashed" }); process.exit(1); });
    page.setDefaultTimeout(0);
    await page.goto(`${address}/page.html`);
    const started = await page.evaluate((name) => window.startBackend(name), backend);
    if (started.facts) return { browser, page, facts: { ...started.facts, chromium: browser.version() } };
    reasons.push(started.missing);
    await browser.close();
  }
  return { missing: `${backend} does not start in this Chromium: ${[...new Set(reasons)].join("; ")}` };
}

const { chromium: playwright } = createRequire(join(packages, "package.json"))("playwright-core");
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const { browser, page, facts, missing } = await start(playwright, `http://127.0.0.1:${server.address().port}`);
if (missing) {
  say({ missing });
} else {
  try {
    await page.evaluate(() => window.loadModel());
    say({ ready: facts });
    await serve(async (request) => {
      const name = request.batch.split(/[\\/]/).pop();
      const job = { ...request, batch: `/batch/${name}`, result: `/result/${name}` };
      const shape = await page.evaluate((given) => window.runBatch(given), job);
      const bytes = inbox.get(`/result/${name}`);
      inbox.delete(`/result/${name}`);
      await writeNumbers(request.result, bytes);
      return shape;
    });
  } catch (error) {
    say({ error: `cannot load ${folder}: ${words(error)}` });
  }
  await browser.close();
}
server.closeAllConnections();
server.close();
