/** The published library in a real browser. */
import type { Browser, Page as Tab } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { samplesOf, testPicture, worst } from "../fixtures.js";
import { hasChromium, launch, serveSite, WEBGPU, type Site } from "./chromium.js";
import { buildPage, close, here, openPage } from "./page.js";

const LONGEST_TASK = 100; // ms on the page's thread while a worker computes

function toSend({ width, height, data }: { width: number; height: number; data: Uint8ClampedArray }) {
  return { width, height, data: Buffer.from(data).toString("base64") };
}

const bytesOf = (base64: string) => new Uint8ClampedArray(Buffer.from(base64, "base64"));

describe.skipIf(!hasChromium)("in Chromium", () => {
  let out: string;
  let browser: Browser;
  let site: Site;

  beforeAll(async () => {
    out = await buildPage();
    browser = await launch();
    site = await serveSite({ "/": out, "/models/": here("../fixtures") });
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  const open = (place: Site = site): Promise<Tab> => openPage(browser, place);

  test.each([
    ["wasm", "rrdb-x4", true],
    ["wasm", "rrdb-x2", true],
    ["wasm", "compact-x4", false],
    ["webgl", "rrdb-x4", true],
    ["webgl", "compact-x4", false],
    ["cpu", "compact-x4", true],
  ] as const)("%s, %s, in a worker: %s; agrees with PyTorch", async (backend, model, worker) => {
    const samples = samplesOf(model, model === "rrdb-x2" ? 2 : 4);
    const tab = await open();
    const { results, isolated } = await tab.evaluate(
      async ({ model, backend, worker, given }) => {
        const upscaler = await esrgan.Upscaler.load(`models/${model}/model.json`, {
          backend,
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
        worker,
        given: [toSend(samples.colour.given), toSend(samples.alpha.given), toSend(samples.gray.given)],
      },
    );
    expect(isolated).toBe(true);
    // Chromium tells the tests of at least two cores
    if (backend === "wasm") expect(results[0]!.reason).toMatch(/^as asked; [2-8] threads; /);
    for (const [index, kind] of (["colour", "alpha", "gray"] as const).entries()) {
      const result = results[index]!;
      expect(result).toMatchObject({ backend, exact: true, divided: 0 });
      expect(result.reason).toMatch(/^as asked/);
      expect(worst(bytesOf(result.image.data), samples[kind].expected.data), kind).toBeLessThanOrEqual(1);
    }
    await close(tab);
  });

  test("webgpu agrees, or says that it does not start", async () => {
    const gpu = await launch(WEBGPU);
    const { given, expected } = samplesOf("compact-x4", 4).colour;
    const tab = await openPage(gpu, site);
    const result = await tab.evaluate(async (one) => {
      try {
        const upscaler = await esrgan.Upscaler.load("models/compact-x4/model.json", { backend: "webgpu" });
        const { image, backend } = await upscaler.upscale(esrgan.picture(one));
        return { backend, image: esrgan.sent(image).data };
      } catch (error) {
        return { error: (error as Error).name, message: (error as Error).message };
      }
    }, toSend(given));
    await gpu.close();
    if ("error" in result) expect(result).toMatchObject({ error: "BackendError" });
    else {
      expect(result.backend).toBe("webgpu");
      expect(worst(bytesOf(result.image), expected.data)).toBeLessThanOrEqual(1);
    }
  });

  test("auto says which backend it took, and why not those before it", async () => {
    const tab = await open();
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
    const tab = await open();
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

  test("the page stays responsive while a worker computes", async () => {
    const tab = await open();
    const { longest, tiles, milliseconds } = await tab.evaluate(
      async (one) => {
        const upscaler = await esrgan.Upscaler.load("models/rrdb-x4/model.json", {
          backend: "wasm",
          wasmPaths: "wasm/",
        });
        const picture = esrgan.picture(one);
        await new Promise((resolve) => setTimeout(resolve, 200));
        let longest = 0;
        const observer = new PerformanceObserver((list) => {
          for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
        });
        observer.observe({ type: "longtask" });
        let tiles = 0;
        const { milliseconds } = await upscaler.upscale(picture, { onTile: () => tiles++ });
        await new Promise((resolve) => setTimeout(resolve, 200));
        return { longest, tiles, milliseconds };
      },
      toSend(testPicture(256, 256)),
    );
    expect(tiles).toBe(16);
    expect(milliseconds).toBeGreaterThan(LONGEST_TASK);
    expect(longest).toBeLessThanOrEqual(LONGEST_TASK);
    await close(tab);
  });

  test("an abort ends the work, and the next picture is computed", async () => {
    const tab = await open();
    const found = await tab.evaluate(
      async (one) => {
        const upscaler = await esrgan.Upscaler.load("models/rrdb-x4/model.json", {
          backend: "wasm",
          wasmPaths: "wasm/",
        });
        const abort = new AbortController();
        const picture = esrgan.picture(one);
        let after = 0;
        const first = upscaler
          .upscale(picture, {
            signal: abort.signal,
            onTile: () => {
              if (abort.signal.aborted) after++;
              abort.abort();
            },
          })
          .then(
            () => "finished",
            (error: Error) => error.name,
          );
        const left = new AbortController();
        const waiting = upscaler
          .upscale(picture, { signal: left.signal })
          .catch((error: Error) => error.name);
        left.abort();
        const third = upscaler.upscale(new ImageData(4, 4));
        return { first: await first, waiting: await waiting, third: (await third).width, after };
      },
      toSend(testPicture(200, 200)),
    );
    expect(found).toEqual({ first: "AbortError", waiting: "AbortError", third: 16, after: 0 });
    await close(tab);
  });

  test("several pictures queue up, and come in the order in which they were given", async () => {
    const tab = await open();
    const found = await tab.evaluate(
      async (one) => {
        const upscaler = await esrgan.Upscaler.load("models/rrdb-x4/model.json", {
          backend: "wasm",
          wasmPaths: "wasm/",
        });
        const order: number[] = [];
        const all = [0, 1, 2].map(async (number) => {
          const { width, image } = await upscaler.upscale(esrgan.picture(one), {
            onTile: () => order.push(number),
          });
          return [width, esrgan.sent(image).data];
        });
        return { order, results: await Promise.all(all) };
      },
      toSend(testPicture(80, 70)),
    );
    expect(found.order).toEqual(found.order.toSorted((a, b) => a - b));
    expect(new Set(found.order).size).toBe(3);
    expect(found.results).toEqual(Array(3).fill(found.results[0]));
    await close(tab);
  });

  test("a damaged shard is refused, a sound one is kept by its content", async () => {
    let damage = true;
    const place = await serveSite(
      { "/": out, "/models/": here("../fixtures") },
      {
        change(path, bytes) {
          if (damage && path.endsWith(".bin")) bytes[7]! ^= 255;
          return bytes;
        },
      },
    );
    const tab = await open(place);
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

  test("a lost WebGL context is survived", async () => {
    const tab = await open();
    const found = await tab.evaluate(
      async (one) => {
        const { Upscaler, tf } = esrgan;
        const upscaler = await Upscaler.load("models/compact-x4/model.json", {
          backend: "webgl",
          worker: false,
        });
        const picture = esrgan.picture(one);
        const expected = esrgan.sent((await upscaler.upscale(picture)).image).data;
        const tensors = tf.memory().numTensors;
        let lost = false;
        const result = await upscaler.upscale(picture, {
          onTile: () => {
            if (lost) return;
            lost = true;
            const { gpgpu } = tf.backend() as unknown as { gpgpu: { gl: WebGL2RenderingContext } };
            gpgpu.gl.getExtension("WEBGL_lose_context")!.loseContext();
          },
        });
        return {
          same: esrgan.sent(result.image).data === expected,
          divided: result.divided,
          balanced: tf.memory().numTensors - tensors,
        };
      },
      toSend(testPicture(300, 24)), // of two tiles, so that it is lost in between
    );
    expect(found).toEqual({ same: true, divided: 1, balanced: 0 });
    await close(tab);
  });

  test.each(["webgl", "wasm"] as const)("tensors are balanced over 20 calls on %s", async (backend) => {
    const tab = await open();
    const found = await tab.evaluate(
      async ({ backend, one }) => {
        const { Upscaler, tf } = esrgan;
        const empty = tf.engine().state.numTensors; // memory() needs a backend
        const upscaler = await Upscaler.load("models/compact-x4/model.json", {
          backend,
          worker: false,
          wasmPaths: "wasm/",
        });
        const { numTensors, numBytes } = tf.memory();
        for (let i = 0; i < 20; i++) await upscaler.upscale(esrgan.picture(one));
        const after = tf.memory();
        await upscaler.dispose();
        return [after.numTensors - numTensors, after.numBytes - numBytes, tf.memory().numTensors - empty];
      },
      { backend, one: toSend(testPicture(20, 16)) },
    );
    expect(found).toEqual([0, 0, 0]);
    await close(tab);
  });

  test("a page that is not isolated computes with one thread", async () => {
    const place = await serveSite({ "/": out, "/models/": here("../fixtures") }, { isolated: false });
    const tab = await open(place);
    const found = await tab.evaluate(async () => {
      const upscaler = await esrgan.Upscaler.load("models/compact-x4/model.json", {
        backend: "wasm",
        wasmPaths: "wasm/",
      });
      return [crossOriginIsolated, (await upscaler.upscale(new ImageData(3, 2))).width, upscaler.reason];
    });
    expect(found).toEqual([false, 12, expect.stringMatching(/^as asked; 1 thread; /)]);
    expect(place.asked).toContain("/wasm/tfjs-backend-wasm-simd.wasm");
    await close(tab);
    await place.close();
  });

  test("a model that is not there, and wrong options, are errors with a reason", async () => {
    const tab = await open();
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
    expect(found[1]).toMatch(/^DownloadError: model.json is missing among the files given/);
    expect(found.slice(2).map((text) => text.split(":")[0])).toEqual(Array(4).fill("OptionError"));
    await close(tab);
  });
});
