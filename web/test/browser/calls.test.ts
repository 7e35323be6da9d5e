/** Calls in a real browser: a page that stays responsive, aborts, queues, a lost context, tensors. */
import { describe, expect, test } from "vitest";
import { testPicture } from "../fixtures.js";
import { hasChromium } from "./chromium.js";
import { close, fixturePage, toSend } from "./page.js";

const LONGEST_TASK = 100; // ms on the page's thread while a worker computes

describe.skipIf(!hasChromium)("calls in Chromium", () => {
  const page = fixturePage();

  test("the page stays responsive while a worker computes", async () => {
    const tab = await page.open();
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
    expect(tiles).toBe(4);
    expect(milliseconds).toBeGreaterThan(LONGEST_TASK);
    expect(longest).toBeLessThanOrEqual(LONGEST_TASK);
    await close(tab);
  });

  test("an abort ends the work, and the next picture is computed", async () => {
    const tab = await page.open();
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
    const tab = await page.open();
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

  test("a lost WebGL context is survived", async () => {
    const tab = await page.open();
    const found = await tab.evaluate(
      async (one) => {
        const { Inline, tf } = esrgan;
        const upscaler = await Inline.load("models/compact-x4/model.json", { backend: "webgl" });
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
          lost,
          divided: result.divided,
          balanced: tf.memory().numTensors - tensors,
        };
      },
      toSend(testPicture(300, 24)), // of two tiles, so that it is lost in between
    );
    expect(found).toEqual({ same: true, lost: true, divided: 0, balanced: 0 });
    await close(tab);
  });

  test.each(["webgl", "wasm"] as const)("tensors are balanced over 20 calls on %s", async (backend) => {
    const tab = await page.open();
    const found = await tab.evaluate(
      async ({ backend, one }) => {
        const { Inline, tf } = esrgan;
        const empty = tf.engine().state.numTensors; // memory() needs a backend
        const upscaler = await Inline.load("models/compact-x4/model.json", { backend, wasmPaths: "wasm/" });
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
});
