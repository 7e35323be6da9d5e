/**
 * Carry out a job in Chromium: `node run.js JOB.json RESULT.json`, called by `esrgan_benchmarks.studies.web`.
 *
 * A job names models (folders), a picture (RGBA, base64), a backend, ways, rounds, and what to ask of each way; each
 * way gets a tab, and the ways run in turn.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { FLAGS, peakOfRenderers } from "./browser.js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
/** Serve the page and the models; with the headers for threads where asked. */
function serve(models, isolated) {
  const server = createServer((request, response) => {
    const [, first, name, ...rest] = new URL(request.url, "http://localhost").pathname.split("/");
    const path = [first, name, ...rest].filter(Boolean);
    const file =
      first === "models"
        ? join(models[name], ...rest)
        : join(here("dist"), ...(path.length ? path : ["index.html"]));
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    const headers = { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" };
    if (isolated) {
      headers["Cross-Origin-Opener-Policy"] = "same-origin";
      headers["Cross-Origin-Embedder-Policy"] = "require-corp";
    }
    response.writeHead(200, headers).end(readFileSync(file));
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

async function start(job) {
  const started = await chromium.launchServer({
    executablePath: job.chromium,
    headless: true,
    args: FLAGS,
  });
  return [started, await chromium.connect(started.wsEndpoint())];
}

/** A tab of its own for a way, which is ready. */
async function prepare(job, way, browser, server) {
  const tab = await (await browser.newContext()).newPage();
  await tab.goto(`http://127.0.0.1:${server.address().port}/`);
  await tab.waitForFunction(() => "bench" in globalThis);
  const model = `models/${way.model ?? job.model}/model.json`;
  const { scale, backend, picture, size } = job;
  const facts = await tab.evaluate(
    ([way, given]) => globalThis.bench.start(way, given),
    [way, { model, scale, backend, picture, size }],
  );
  return [tab, facts];
}

/** Bytes of the page's process at its peak for one picture, in a Chromium where nothing else was. */
async function memoryOf(job, way, server) {
  const [started, browser] = await start(job);
  try {
    const [tab] = await prepare(job, way, browser, server);
    await tab.evaluate(() => globalThis.bench.run());
    return peakOfRenderers(started.process().pid);
  } finally {
    await browser.close();
    await started.close();
  }
}

async function carryOut(job) {
  const server = await serve(job.models, job.isolated);
  const [started, browser] = await start(job);
  try {
    const tabs = [];
    for (const way of job.ways) {
      const [tab, facts] = await prepare(job, way, browser, server);
      const first = await tab.evaluate(() => globalThis.bench.run("pixels"));
      tabs.push({
        tab,
        result: { ...facts, pixels: first.pixels, plan: first.plan, seconds: [], tensors: [] },
      });
    }
    for (let round = 0; round < job.rounds; round++) {
      for (const { tab, result } of tabs) {
        const { seconds, tensors } = await tab.evaluate(() => globalThis.bench.run());
        result.seconds.push(seconds);
        result.tensors.push(tensors);
      }
    }
    for (const [index, { tab, result }] of tabs.entries()) {
      const { aborts, tiles } = job.ways[index];
      if (tiles) result.tiles = await tab.evaluate(() => globalThis.bench.tileTimes());
      result.aborts = [];
      const usual = result.seconds.toSorted((a, b) => a - b)[Math.floor(result.seconds.length / 2)];
      for (const share of aborts ?? [])
        result.aborts.push(await tab.evaluate((given) => globalThis.bench.abortAfter(given), share * usual));
    }
    if (job.memory)
      for (const [index, { result }] of tabs.entries())
        result.peak = await memoryOf(job, job.ways[index], server);
    return {
      chromium: browser.version(),
      peak: peakOfRenderers(started.process().pid),
      ways: tabs.map(({ result }) => result),
    };
  } finally {
    await browser.close();
    await started.close();
    server.closeAllConnections();
    server.close();
  }
}

const [jobFile, resultFile] = process.argv.slice(2);
writeFileSync(resultFile, JSON.stringify(await carryOut(JSON.parse(readFileSync(jobFile, "utf8")))));
