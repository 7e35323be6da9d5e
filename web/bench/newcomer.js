/**
 * A newcomer's first picture: `node newcomer.js JOB.json RESULT.json`, called by `esrgan_benchmarks.studies.web_newcomer`.
 *
 * A job names a built site, whose page gives `globalThis.first()` (the first picture, with all that it needs) and
 * `globalThis.again()`, a folder of packages that stands in for the sites that serve npm's, a picture (a file), and rounds. Each round is
 * a browser that was never there.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { chromium } from "playwright-core";
import { FLAGS, peakOfRenderers } from "./browser.js";

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
  ".css": "text/css",
};
/** Addresses of files of packages: https://cdn.jsdelivr.net/npm/@upscalerjs/default-model@1.0.0/models/model.json */
const PACKAGE = /^https:\/\/(?:cdn\.jsdelivr\.net\/npm|unpkg\.com)\/((?:@[^/]+\/)?[^@/]+)@[^/]+\/(.*)$/;

function serve(folder, picture, counted) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const file =
      pathname === "/photo.jpg" ? picture : join(folder, pathname === "/" ? "index.html" : pathname);
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    const bytes = readFileSync(file);
    counted.bytes += file === picture ? 0 : bytes.length;
    response
      .writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" })
      .end(bytes);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

async function round(job) {
  const counted = { bytes: 0, elsewhere: 0 };
  const server = await serve(job.site, job.picture, counted);
  const started = await chromium.launchServer({ executablePath: job.chromium, headless: true, args: FLAGS });
  const browser = await chromium.connect(started.wsEndpoint());
  try {
    const context = await browser.newContext();
    await context.route(PACKAGE, async (route) => {
      const [, name, path] = PACKAGE.exec(route.request().url());
      const bytes = readFileSync(join(job.packages, name, path));
      counted.bytes += bytes.length;
      counted.elsewhere += bytes.length;
      await route.fulfill({ body: bytes, headers: { "Access-Control-Allow-Origin": "*" } });
    });
    const tab = await context.newPage();
    const began = performance.now();
    await tab.goto(`http://127.0.0.1:${server.address().port}/`);
    await tab.waitForFunction(() => "first" in globalThis);
    const result = await tab.evaluate(() => globalThis.first());
    const seconds = (performance.now() - began) / 1000;
    const { bytes, elsewhere } = counted;
    const again = await tab.evaluate(async () => {
      const start = performance.now();
      await globalThis.again();
      return (performance.now() - start) / 1000;
    });
    const peak = peakOfRenderers(started.process().pid);
    return { seconds, again, bytes, elsewhere, result, peak, chromium: browser.version() };
  } finally {
    await browser.close();
    await started.close();
    server.closeAllConnections();
    server.close();
  }
}

const [jobFile, resultFile] = process.argv.slice(2);
const job = JSON.parse(readFileSync(jobFile, "utf8"));
const rounds = [];
for (let count = 0; count < job.rounds; count++) rounds.push(await round(job));
writeFileSync(resultFile, JSON.stringify(rounds));
