/** Loading in a real browser: damaged and missing models, pages that are not isolated, wrong options. */
import { describe, expect, test } from "vitest";
import { hasChromium } from "./chromium.js";
import { close, fixturePage } from "./page.js";

describe.skipIf(!hasChromium)("loading in Chromium", () => {
  const page = fixturePage();

  test("a damaged shard is refused, a sound one is kept by its content", async () => {
    let damage = true;
    const place = await page.serve({
      change(path, bytes) {
        if (damage && path.endsWith(".bin")) bytes[7]! ^= 255;
        return bytes;
      },
    });
    const tab = await page.open(place);
    const load = () =>
      tab.evaluate(async () => {
        try {
          const upscaler = await esrgan.Upscaler.load("models/compact-x4/model.json", { backend: "cpu" });
          return upscaler.backend;
        } catch (error) {
          return `${String(error instanceof esrgan.IntegrityError)} ${(error as Error).message}`;
        }
      });
    expect(await load()).toMatch(/^true group1-shard1of1.bin .* is damaged: its sha256/);
    damage = false;
    await tab.evaluate(() => caches.open("tfjs-esrgan"));
    expect(await load()).toBe("cpu");
    const before = place.asked.filter((path) => path.endsWith(".bin")).length;
    expect(await load()).toBe("cpu");
    expect(place.asked.filter((path) => path.endsWith(".bin"))).toHaveLength(before);
    await close(tab);
    await place.close();
  });

  test("a page that is not isolated computes with one thread", async () => {
    const place = await page.serve({ isolated: false });
    const tab = await page.open(place);
    const load = (engine: "kernels" | "tfjs") =>
      tab.evaluate(async (engine) => {
        const upscaler = await esrgan.Upscaler.load("models/compact-x4/model.json", {
          backend: "wasm",
          engine,
          wasmPaths: "wasm/",
        });
        return [crossOriginIsolated, (await upscaler.upscale(new ImageData(3, 2))).width, upscaler.reason];
      }, engine);
    const kernels = /^as requested; kernels with relaxed SIMD; 1 thread; /;
    expect(await load("kernels")).toEqual([false, 12, expect.stringMatching(kernels)]);
    expect(place.asked.join()).not.toContain(".wasm"); // they come with the code
    expect(await load("tfjs")).toEqual([false, 12, expect.stringMatching(/^as requested; 1 thread; /)]);
    expect(place.asked).toContain("/wasm/tfjs-backend-wasm-simd.wasm");
    await close(tab);
    await place.close();
  });

  test("a model that is not there, and wrong options, are errors with a reason", async () => {
    const tab = await page.open();
    const found = await tab.evaluate(async () => {
      const { Upscaler } = esrgan;
      const failure = (work: Promise<unknown>) =>
        work.then(
          () => "none",
          (error: Error) => `${error.name}: ${error.message}`,
        );
      const upscaler = await Upscaler.load("models/compact-x4/model.json", { backend: "cpu" });
      return [
        await failure(Upscaler.load("models/none/model.json")),
        await failure(Upscaler.load([])),
        await failure(Upscaler.load("models/compact-x4/model.json", { backend: "cuda" as "cpu" })),
        await failure(upscaler.upscale(new Blob(["no picture"]))),
        await failure(upscaler.upscale(new ImageData(2, 2), { output: "gif" as "blob" })),
        await failure(upscaler.upscale(new ImageData(2, 2), { tile: { size: 1 } })),
      ];
    });
    expect(found[0]).toMatch(/^DownloadError: .*answered 404/);
    expect(found[1]).toMatch(/^DownloadError: model.json is not among the given files/);
    expect(found.slice(2).map((text) => text.split(":")[0])).toEqual(Array(4).fill("OptionError"));
    await close(tab);
  });
});
