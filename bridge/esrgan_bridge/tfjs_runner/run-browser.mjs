// TF.js, or the kernels of tfjs-esrgan, in a browser without a window: node run-browser.mjs PACKAGES MODEL BACKEND
// BROWSER PROGRAM [KERNELS], where BROWSER is "chromium" or "firefox" and KERNELS the file of the backend "kernels".
// The page and all that it loads come from a server on 127.0.0.1, which this process is too.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { launchFirefox } from "./firefox.mjs";
import { say, serve, words, writeNumbers } from "./worker.mjs";

const [packages, folder, backend, browserName, program, kernels] = process.argv.slice(2);
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

const tell = (text) => console.error(`page: ${text}`);

/** A page of each browser that may do: {page, version, close}. */
async function* pages(address) {
  if (browserName === "firefox") {
    const browser = await launchFirefox(program, { onMessage: tell });
    yield { page: await browser.open(address), version: browser.version, close: () => browser.close() };
    return;
  }
  const { chromium } = createRequire(join(packages, "package.json"))("playwright-core");
  for (const extra of flags[backend]) {
    const browser = await chromium.launch({
      executablePath: program,
      headless: true,
      chromiumSandbox: process.getuid?.() !== 0, // Chromium refuses to sandbox for root
      args: [...common, ...extra],
    });
    const page = await browser.newPage();
    page.on("console", (message) => tell(message.text()));
    page.on("crash", () => { say({ error: "the page has crashed" }); process.exit(1); });
    page.setDefaultTimeout(0);
    await page.goto(address);
    yield { page, version: browser.version(), close: () => browser.close() };
  }
}

async function start(address) {
  const reasons = [];
  try {
    for await (const { page, version, close } of pages(address)) {
      const started = await page.evaluate((name) => window.startBackend(name), backend);
      if (started.facts) return { page, close, facts: { ...started.facts, [browserName]: version } };
      reasons.push(started.missing);
      await close();
    }
  } catch (error) {
    return { missing: `${browserName} does not start: ${words(error)}` };
  }
  return { missing: `${backend} does not start in this ${browserName}: ${[...new Set(reasons)].join("; ")}` };
}

await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const { page, close, facts, missing } = await start(`http://127.0.0.1:${server.address().port}/page.html`);
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
  await close();
}
server.closeAllConnections();
server.close();
