/** Public reports about other libraries that enlarge pictures in pages, tried here; docs/compatibility.md lists them. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hasChromium, launch, scratchFolder, serveSite } from "./chromium.js";
import { close, fixturePage, here } from "./page.js";

const MODEL = "models/compact-x4/model.json";

describe.skipIf(!hasChromium)("in Chromium", () => {
  const page = fixturePage();

  // thekevinscott/UpscalerJS#173
  test("pictures that are asked for at once keep their progress and their results apart", async () => {
    const tab = await page.open();
    const found = await tab.evaluate(async (model) => {
      const upscaler = await esrgan.Upscaler.load(model, { backend: "wasm", cache: false });
      const one = async (width: number, value: number) => {
        const shares: number[] = [];
        const previews: number[] = [];
        const data = Uint8ClampedArray.from({ length: 4 * width * 40 }, (_, at) =>
          at % 4 === 3 ? 255 : value + ((at * 7) % 20),
        );
        const { image } = await upscaler.upscale(
          { width, height: 40, data },
          {
            tile: { size: 32, overlap: 8 },
            onProgress: (share) => shares.push(share),
            onTile: ({ preview }) => previews.push(preview!.data[0]!),
          },
        );
        return {
          width: image.width,
          rises: shares.every((share, index) => !index || share >= shares[index - 1]!),
          end: shares.at(-1)! <= 1,
          same: image.data[0] === previews[0],
          previews: previews.length,
        };
      };
      return await Promise.all([one(70, 10), one(50, 200)]);
    }, MODEL);
    const right = { rises: true, end: true, same: true };
    expect(found).toEqual([
      { ...right, width: 280, previews: 6 },
      { ...right, width: 200, previews: 4 },
    ]);
    await close(tab);
  });

  // thekevinscott/UpscalerJS#174 and #752
  test("a picture of 1400x700 pixels neither ends the page nor holds it up", async () => {
    const tab = await page.open();
    const found = await tab.evaluate(async (model) => {
      const upscaler = await esrgan.Upscaler.load(model, { backend: "wasm", cache: false });
      let frames = 0;
      const painted = () => {
        frames++;
        requestAnimationFrame(painted);
      };
      requestAnimationFrame(painted);
      const data = Uint8ClampedArray.from({ length: 4 * 1400 * 700 }, (_, at) => (at * at) & 255);
      const before = performance.now();
      const { image, width, height } = await upscaler.upscale(
        { width: 1400, height: 700, data },
        { output: "blob", type: "image/jpeg" },
      );
      return { size: [width, height], bytes: image.size, frames, time: performance.now() - before };
    }, MODEL);
    expect(found.size).toEqual([5600, 2800]);
    expect(found.bytes).toBeGreaterThan(100_000);
    // a page that is held up paints nothing
    expect(found.frames / (found.time / 1000)).toBeGreaterThan(2);
    await close(tab);
  }, 180_000);

  // thekevinscott/UpscalerJS#1297
  test("transparency stays, or has the colour under it that was asked for", async () => {
    const tab = await page.open();
    const found = await tab.evaluate(async (model) => {
      const upscaler = await esrgan.Upscaler.load(model, { backend: "wasm", cache: false });
      const data = Uint8ClampedArray.from({ length: 4 * 16 * 16 }, (_, at) =>
        at % 4 === 3 ? (at < 512 ? 0 : 255) : (at * 13) & 255,
      );
      const canvas = new OffscreenCanvas(16, 16);
      canvas.getContext("2d")!.putImageData(new ImageData(data, 16, 16), 0, 0);
      const file = await canvas.convertToBlob();
      const corner = async (options: object) => {
        const { image } = await upscaler.upscale(file, { output: "blob", ...options });
        const drawn = new OffscreenCanvas(64, 64).getContext("2d")!;
        drawn.drawImage(await createImageBitmap(image), 0, 0);
        return [...drawn.getImageData(0, 0, 1, 1).data];
      };
      return [
        await corner({}),
        await corner({ background: "rgb(0, 255, 0)" }),
        await corner({ type: "image/jpeg" }),
      ];
    }, MODEL);
    expect(found[0]).toEqual([0, 0, 0, 0]);
    expect(found[1]).toEqual([0, 255, 0, 255]);
    expect(Math.min(...found[2]!)).toBeGreaterThan(250);
    await close(tab);
  });

  // microsoft/onnxruntime#19556, tensorflow/tfjs#6517
  test("a server that answers everything with its own page is named, not what was read of that page", async () => {
    const everything = await page.serve({
      isolated: false,
      missing: "<!doctype html><title>an application</title>",
    });
    const tab = await page.open(everything);
    const found = await tab.evaluate(async (model) => {
      const { Upscaler, failure } = esrgan;
      const options = { backend: "wasm", cache: false } as const;
      return [
        await failure(Upscaler.load("models/none/model.json", options)),
        await failure(Upscaler.load(model, { ...options, engine: "tfjs", wasmPaths: "none/" })),
        (await Upscaler.load(model, { ...options, wasmPaths: "none/" })).engine,
      ];
    }, MODEL);
    expect(found[0]).toMatch(/^(Download|Model)Error: .*models\/none\/model\.json.*web page/);
    expect(found[1]).toMatch(/^BackendError: .*none\/.*wasmPaths/);
    expect(found[2]).toBe("kernels");
    await close(tab);
    await everything.close();
  });
});

// microsoft/onnxruntime#20876 and #14445; bundled it runs there: test/projects/service-worker
test.skipIf(!hasChromium)(
  "a service worker that cannot import the library's parts says what to do",
  async () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, "index.html"), "<!doctype html>");
    writeFileSync(
      join(folder, "sw.js"),
      `import { EsrganError, Upscaler } from "./library/index.js";
     self.addEventListener("install", () => self.skipWaiting());
     self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
     self.addEventListener("message", ({ ports: [port] }) => Upscaler.load().then(
       () => port.postMessage("it loads"),
       (error) => port.postMessage((error instanceof EsrganError) + " " + error.message)));`,
    );
    const site = await serveSite({ "/": folder, "/library/": here("../../dist/page") }, { isolated: false });
    const browser = await launch();
    const tab = await browser.newPage();
    await tab.goto(`${site.url}/`);
    const said = await tab.evaluate(async () => {
      await navigator.serviceWorker.register("sw.js", { type: "module" });
      const { active } = await navigator.serviceWorker.ready;
      const { port1, port2 } = new MessageChannel();
      const answer = new Promise<string>((resolve) => {
        port1.onmessage = ({ data }) => resolve(data as string);
      });
      active!.postMessage("", [port2]);
      return await answer;
    });
    expect(said).toMatch(/^true a service worker cannot import .* bundle the library into one file/);
    await browser.close();
    await site.close();
  },
);
