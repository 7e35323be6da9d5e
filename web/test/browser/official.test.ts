/** Official weights in a real browser, against PyTorch: `make_official.py` converts them and computes the answers. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Machine } from "../../src/engine/webgpu/device.js";
import { planOf, WebgpuNetwork } from "../../src/engine/webgpu/network.js";
import { fetchModel } from "../../src/models/download.js";
import { bytesOf, worst } from "../fixtures.js";
import { hasGpu } from "../gpu.js";
import { hasChromium, launch, scratchFolder, serveSite, WEBGPU, type Site } from "./chromium.js";
import { buildPage, close, here, openPage } from "./page.js";
import { hasPython, python } from "./python.js";

interface Golden {
  readonly tile: { height: number; width: number; values: string; result: string };
  readonly picture: { height: number; width: number; given: string; expected: string };
}

const floatsOf = (text: string) => new Float32Array(bytesOf(text).buffer);
const SPREAD = 0.5; // of the answers, so that agreement means something

/** By their names in the cache; `OFFICIAL=NAME,NAME` names others, which are fetched. */
const HALVES = (process.env["OFFICIAL"] ?? "realesr-animevideov3").split(",");

describe.skipIf(!hasGpu || !hasPython)("float16, by rounding what it would round", () => {
  test.each(HALVES)(
    "%s: 50 dB from PyTorch's float32",
    async (name) => {
      const folder = scratchFolder();
      execFileSync(python, [here("../make_official.py"), folder, name], {
        stdio: ["ignore", "ignore", "inherit"],
      });
      const { tile } = JSON.parse(readFileSync(join(folder, "golden.json"), "utf8")) as Golden;
      const read = (file: string) =>
        Promise.resolve(new Uint8Array(readFileSync(join(folder, "model", "tfjs", file))));
      const model = await fetchModel({ name, remote: false, read });
      const shape = { workgroup: [8, 4], pixels: [1, 1], outputs: 1, staged: false } as const;
      const network = await WebgpuNetwork.start(await Machine.open(), planOf(model, "rounded"), shape);
      const { height, width } = tile;
      const { unshuffle } = network.info;
      const features = await network.trunk(floatsOf(tile.values), height, width, () => Promise.resolve());
      const found = await network.tail(features, 0, 0, height / unshuffle, width / unshuffle);
      network.dispose();
      const expected = floatsOf(tile.result);
      const error = found.reduce((sum, value, at) => sum + (value - expected[at]!) ** 2, 0) / found.length;
      const psnr = -10 * Math.log10(error);
      console.log(`${name}: ${psnr.toFixed(1)} dB`);
      expect(psnr).toBeGreaterThan(50);
      expect(psnr).toBeLessThan(95); // it does round
    },
    600_000,
  );
});

describe.skipIf(!hasChromium || !hasPython)("official weights in Chromium", () => {
  const made = scratchFolder();
  let browser: Browser;
  let site: Site;
  let plain: Site;
  let golden: Golden;

  beforeAll(async () => {
    execFileSync(python, [here("../make_official.py"), made], { stdio: ["ignore", "ignore", "inherit"] });
    golden = JSON.parse(readFileSync(join(made, "golden.json"), "utf8")) as Golden;
    const folders = { "/": await buildPage(), "/models/": join(made, "model", "tfjs") };
    browser = await launch(WEBGPU);
    site = await serveSite(folders);
    plain = await serveSite(folders, { isolated: false });
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await site?.close();
    await plain?.close();
  });

  test.each([
    ["wasm", "kernels", "with threads", true, 1e-4],
    ["wasm", "kernels", "one thread", false, 1e-4],
    ["wasm", "tfjs", "with threads", true, 1e-4],
    ["wasm", "tfjs", "one thread", false, 1e-4],
    ["webgl", "tfjs", "", true, 1e-3],
    ["webgpu", "kernels", "", true, 1e-4],
    ["webgpu", "tfjs", "", true, 1e-3],
  ] as const)(
    "a tile on %s by %s %s is PyTorch's, in float32",
    async (backend, engine, _, isolated, tolerance) => {
      const { height, width, values, result } = golden.tile;
      const tab = await openPage(browser, isolated ? site : plain);
      const found = await tab.evaluate(
        async ({ backend, engine, height, width, values }) => {
          const adapter = backend === "webgpu" ? await navigator.gpu.requestAdapter() : undefined;
          if (adapter === null) return undefined;
          return await esrgan.floats("models/model.json", backend, engine, height, width, values);
        },
        { backend, engine, height, width, values },
      );
      await close(tab);
      if (found === undefined) {
        console.error(`no WebGPU adapter in this browser: ${backend} is not compared`);
        return;
      }
      const [ours, theirs] = [floatsOf(found), floatsOf(result)];
      expect(Math.max(...theirs) - Math.min(...theirs)).toBeGreaterThan(SPREAD);
      expect(worst(ours, theirs)).toBeLessThan(tolerance);
    },
  );

  test.each(["tfjs", "kernels"] as const)(
    "a picture by %s is PyTorch's untiled one: no seams",
    async (engine) => {
      const { height, width, given, expected } = golden.picture;
      const tab = await openPage(browser, site);
      const load = { one: { width, height, data: given }, engine };
      const found = await tab.evaluate(async ({ one, engine }) => {
        const upscaler = await esrgan.Upscaler.load("models/model.json", {
          backend: "wasm",
          engine,
          wasmPaths: "wasm/",
        });
        const ask = async (tile: "auto" | { size: number; overlap: number }) => {
          let tiles = 0;
          const picture = esrgan.picture(one);
          const { image, exact, plan } = await upscaler.upscale(picture, { tile, onTile: () => tiles++ });
          return { tiles, exact, plan, data: esrgan.sent(image).data };
        };
        return { auto: await ask("auto"), cut: await ask({ size: 48, overlap: 4 }) };
      }, load);
      await close(tab);
      expect(found.auto).toMatchObject({ exact: true });
      expect(found.auto.tiles).toBeGreaterThan(engine === "tfjs" ? 2 : 0); // of 256 pixels, or bands
      expect(worst(bytesOf(found.auto.data), bytesOf(expected))).toBeLessThanOrEqual(1);
      // the comparison sees seams where there are some
      expect(found.cut).toMatchObject({ exact: false });
      expect(worst(bytesOf(found.cut.data), bytesOf(expected))).toBeGreaterThan(2);
    },
  );
});
