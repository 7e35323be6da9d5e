/** What docs/web.md says to put into a page is put into one. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { wasmFiles } from "./wasm-files.js";
import { hasChromium, launch, scratchFolder, serveSite } from "./chromium.js";
import { here } from "./page.js";

const page = readFileSync(here("../../../docs/web.md"), "utf8");
const tutorial = readFileSync(here("../../../docs/tutorials/first-page.md"), "utf8");
const blocks = (language: string, text = page) =>
  [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter((match) => match[1] === language)
    .map((match) => match[2]!);
const PHOTO = here("../../../examples/cat.jpg");
const MODEL = here("../fixtures/compact-x4");

describe.skipIf(!hasChromium)("the blocks of docs/web.md", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
  });

  test("are those that run here", () => {
    expect([blocks("html").length, blocks("ts").length]).toEqual([1, 4]);
  });

  test("without a bundler", async () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, "index.html"), blocks("html")[0]!);
    const site = await serveSite({
      "/": folder,
      "/tfjs-esrgan/": here("../../dist/page"),
      "/model/": MODEL,
      "/photo.jpg": PHOTO,
    });
    const tab = await browser.newPage();
    const complaints: string[] = [];
    tab.on("pageerror", (error) => complaints.push(error.message));
    await tab.goto(site.url);
    await tab.getByText(/computed by \w+: /).waitFor();
    expect(await tab.evaluate(() => document.querySelector("canvas")!.width)).toBe(720);
    expect(complaints).toEqual([]);
    await tab.close();
    await site.close();
  });

  test("of the tutorial: the photo of the page, then one that was chosen, by another model", async () => {
    const [folder, [html], [load]] = [scratchFolder(), blocks("html", tutorial), blocks("js", tutorial)];
    const other = html!.replace("const upscaler = await Upscaler.load();", load!);
    expect(other).not.toBe(html);
    writeFileSync(join(folder, "index.html"), html!);
    writeFileSync(join(folder, "other.html"), other);
    const site = await serveSite({
      "/": folder,
      "/tfjs-esrgan/": here("../../dist/page"),
      "/model/": MODEL,
      "/photo.jpg": PHOTO,
    });
    const tab = await browser.newPage();
    for (const name of ["index.html", "other.html"]) {
      await tab.goto(`${site.url}/${name}`);
      await tab.getByText(/720 x 560 pixels, computed by \w+/).waitFor();
      await tab.locator("#status").evaluate((line) => (line.textContent = ""));
      await tab.locator("#file").setInputFiles(PHOTO);
      await tab.getByText(/720 x 560 pixels, computed by \w+/).waitFor();
      expect(await tab.locator("canvas").count()).toBe(1);
    }
    await tab.close();
    await site.close();
  });

  test("with a bundler, and with a worker of one's own", async () => {
    const [folder, out] = [scratchFolder(), scratchFolder()];
    const [larger, enlarge, show, worker] = blocks("ts");
    mkdirSync(join(folder, "own"));
    writeFileSync(join(folder, "larger.ts"), larger!);
    writeFileSync(join(folder, "enlarge.ts"), enlarge!);
    writeFileSync(join(folder, "show.ts"), show!);
    writeFileSync(join(folder, "worker.ts"), worker!);
    writeFileSync(join(folder, "index.html"), '<script type="module" src="./main.ts"></script>');
    writeFileSync(
      join(folder, "main.ts"),
      `import { Upscaler } from "tfjs-esrgan";
      import { larger } from "./larger.ts";
      import { enlarge, isBackendMissing } from "./enlarge.ts";
      import { show } from "./show.ts";
      const own = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
      Object.assign(globalThis, { Upscaler, larger, enlarge, isBackendMissing, show, own });`,
    );
    await build({
      configFile: false,
      logLevel: "error",
      root: folder,
      base: "./",
      resolve: {
        alias: [
          { find: /^tfjs-esrgan$/, replacement: here("../../dist/page/index.js") },
          { find: /^tfjs-esrgan\/(.*)$/, replacement: here("../../dist/$1.js") },
        ],
      },
      worker: { format: "es" },
      plugins: [wasmFiles()],
      build: { outDir: out, target: "es2022", chunkSizeWarningLimit: 4000 },
    });
    const site = await serveSite({ "/": out, "/model/": MODEL, "/photo.jpg": PHOTO });
    const tab = await browser.newPage();
    await tab.goto(site.url);
    await tab.waitForFunction(() => "enlarge" in globalThis);
    const found = await tab.evaluate(async () => {
      const { larger, enlarge, isBackendMissing, show, Upscaler, own } = globalThis as unknown as {
        larger: (photo: Blob) => Promise<ImageData>;
        enlarge: (photo: Blob) => Promise<Blob>;
        isBackendMissing: (error: unknown) => boolean;
        show: (video: HTMLCanvasElement, canvas: HTMLCanvasElement, upscaler: unknown) => Promise<void>;
        Upscaler: typeof import("tfjs-esrgan").Upscaler;
        own: Worker;
      };
      const photo = await (await fetch("photo.jpg")).blob();
      const first = await larger(photo);
      const blob = await enlarge(photo);
      const upscaler = await Upscaler.load("model/model.json", { worker: own, wasmPaths: "wasm/" });
      const { width, backend } = await upscaler.upscale(photo);
      const [still, shown] = [document.createElement("canvas"), document.createElement("canvas")];
      [still.width, still.height] = [20, 10];
      still.getContext("2d")!.fillRect(2, 2, 5, 5);
      await show(still, shown, upscaler);
      const missing = await Upscaler.load("model/model.json", { backend: "webgpu" }).then(
        () => true, // a machine that has it
        isBackendMissing,
      );
      return {
        first: first.width,
        type: blob.type,
        size: (await createImageBitmap(blob)).width,
        width,
        backend,
        shown: shown.width,
        missing,
      };
    });
    expect(found).toEqual({
      first: 720,
      type: "image/webp",
      size: 720,
      width: 720,
      backend: "wasm",
      shown: 80,
      missing: true,
    });
    await tab.close();
    await site.close();
  });
});
