/** The published library in a real browser: every backend against PyTorch, every source and result. */
import { describe, expect, test } from "vitest";
import { bytesOf, samplesOf, testPicture, worst } from "../fixtures.js";
import { hasChromium, launch, WEBGPU } from "./chromium.js";
import { close, fixturePage, openPage, toSend } from "./page.js";

describe.skipIf(!hasChromium)("in Chromium", () => {
  const page = fixturePage();

  test.each([
    ["wasm", "kernels", "rrdb-x4", true],
    ["wasm", "kernels", "rrdb-x2", true],
    ["wasm", "kernels", "compact-x4", false],
    ["wasm", "tfjs", "rrdb-x4", true],
    ["wasm", "tfjs", "compact-x4", false],
    ["webgl", "tfjs", "rrdb-x4", true],
    ["webgl", "tfjs", "compact-x4", false],
    ["cpu", "tfjs", "compact-x4", true],
  ] as const)(
    "%s by %s, %s, in a worker: %s; agrees with PyTorch",
    async (backend, engine, model, worker) => {
      const samples = samplesOf(model, model === "rrdb-x2" ? 2 : 4);
      const tab = await page.open();
      const { results, isolated } = await tab.evaluate(
        async ({ model, backend, engine, worker, given }) => {
          const upscaler = await esrgan.Upscaler.load(`models/${model}/model.json`, {
            backend,
            engine,
            worker,
            wasmPaths: "wasm/",
          });
          const results = [];
          for (const one of given) {
            const { image, ...account } = await upscaler.upscale(esrgan.picture(one));
            results.push({ ...account, image: esrgan.sent(image) });
          }
          return { results, isolated: crossOriginIsolated };
        },
        {
          model,
          backend,
          engine,
          worker,
          given: [toSend(samples.colour.given), toSend(samples.alpha.given), toSend(samples.gray.given)],
        },
      );
      expect(isolated).toBe(true);
      // Chromium tells the tests of at least two cores
      const threads =
        engine === "kernels"
          ? /^as requested; kernels with relaxed SIMD; [2-8] threads; /
          : /^as requested; [2-8] threads; /;
      if (backend === "wasm") expect(results[0]!.reason).toMatch(threads);
      for (const [index, kind] of (["colour", "alpha", "gray"] as const).entries()) {
        const result = results[index]!;
        expect(result).toMatchObject({ backend, engine, exact: true, divided: 0 });
        expect(result.reason).toMatch(/^as requested/);
        expect(worst(bytesOf(result.image.data), samples[kind].expected.data), kind).toBeLessThanOrEqual(1);
      }
      await close(tab);
    },
  );

  test.each([
    ["kernels", "compact-x4"],
    ["kernels", "rrdb-x2"],
    ["tfjs", "compact-x4"],
  ] as const)("webgpu by %s, %s, agrees, or says that it does not start", async (engine, model) => {
    const gpu = await launch(WEBGPU);
    const { given, expected } = samplesOf(model, model === "rrdb-x2" ? 2 : 4).colour;
    const tab = await openPage(gpu, page.site);
    const result = await tab.evaluate(
      async ({ one, engine, model }) => {
        const adapter = await navigator.gpu.requestAdapter();
        try {
          const address = `models/${model}/model.json`;
          const upscaler = await esrgan.Upscaler.load(address, { backend: "webgpu", engine });
          const { image, backend, reason } = await upscaler.upscale(esrgan.picture(one));
          await upscaler.dispose();
          return { backend, reason, image: esrgan.sent(image).data };
        } catch (error) {
          const { name, message } = error as Error;
          return { error: name, message, there: adapter !== null };
        }
      },
      { one: toSend(given), engine, model },
    );
    await gpu.close();
    if ("error" in result) expect(result).toMatchObject({ error: "BackendError", there: false });
    else {
      expect(result.backend).toBe("webgpu");
      const words = {
        kernels: /^as requested; kernels in float\d+ on .*; kernel shape /,
        tfjs: /^as requested; a test/,
      };
      expect(result.reason).toMatch(words[engine]);
      expect(worst(bytesOf(result.image), expected.data)).toBeLessThanOrEqual(1);
    }
  });

  test("auto says which backend it took, and why not those before it", async () => {
    const tab = await page.open();
    const { backend, reason } = await tab.evaluate(async () => {
      const upscaler = await esrgan.Upscaler.load("models/compact-x4/model.json", { wasmPaths: "wasm/" });
      return { backend: upscaler.backend, reason: upscaler.reason };
    });
    expect(["webgpu", "webgl", "wasm"]).toContain(backend);
    expect(reason).toMatch(/a test tile differs by/);
    if (backend !== "webgpu") expect(reason).toMatch(/backend webgpu does not start/);
    await close(tab);
  });

  test("every kind of source, every kind of result", async () => {
    const tab = await page.open();
    const found = await tab.evaluate(
      async (one) => {
        const upscaler = await esrgan.Upscaler.load("models/compact-x4/model.json", {
          backend: "wasm",
          wasmPaths: "wasm/",
        });
        const data = esrgan.picture(one);
        const canvas = new OffscreenCanvas(data.width, data.height);
        canvas.getContext("2d")!.putImageData(data, 0, 0);
        const blob = await canvas.convertToBlob();
        const element = document.createElement("canvas");
        element.width = data.width;
        element.height = data.height;
        element.getContext("2d")!.putImageData(data, 0, 0);
        const image = new Image();
        image.src = URL.createObjectURL(blob);
        const bitmap = await createImageBitmap(blob);
        const raw = { width: data.width, height: data.height, data: data.data };
        const reference = esrgan.sent((await upscaler.upscale(data)).image).data;
        const same: string[] = [];
        const all = { canvas, blob, element, image, bitmap, raw };
        for (const [name, source] of Object.entries(all)) {
          if (esrgan.sent((await upscaler.upscale(source)).image).data === reference) same.push(name);
        }
        const { image: drawn } = await upscaler.upscale(data, { output: "canvas" });
        const { image: jpeg } = await upscaler.upscale(data, {
          output: "blob",
          type: "image/jpeg",
          quality: 0.5,
        });
        const { image: bytes } = await upscaler.upscale(data, { output: "raw" });
        return {
          same,
          usable: [bitmap.width, data.data.length],
          canvas: [drawn instanceof HTMLCanvasElement, drawn.width],
          jpeg: [jpeg.type, jpeg.size > 300, (await createImageBitmap(jpeg)).width],
          raw: bytes.data.length,
        };
      },
      toSend(testPicture(30, 20)),
    );
    expect(found).toEqual({
      same: ["canvas", "blob", "element", "image", "bitmap", "raw"],
      usable: [30, 2400],
      canvas: [true, 120],
      jpeg: ["image/jpeg", true, 120],
      raw: 120 * 80 * 4,
    });
    await close(tab);
  });
});
