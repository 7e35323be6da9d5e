/** Calls of one upscaler in Node: tiles, callbacks, aborts, options. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { OptionError, Upscaler } from "../../src/node.js";
import { folderOf, samplesOf, testPicture, worst } from "../fixtures.js";

describe.each(["tfjs", "kernels"] as const)("the upscaler by %s", (engine) => {
  let upscaler: Upscaler;
  beforeAll(async () => {
    upscaler = await Upscaler.load(folderOf("rrdb-x4"), { backend: "wasm", engine });
  });
  afterAll(() => upscaler.dispose());
  let tensors = 0;
  const count = () => (tensors = tf.memory().numTensors);
  afterEach(() => {
    if (tensors) expect(tf.memory().numTensors).toBe(tensors);
    tensors = 0;
  });

  test.skipIf(engine === "kernels")(
    "what a convolution read is forgotten where the picture is large",
    async () => {
      const heap = () => (tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8.length;
      const before = heap();
      count();
      await upscaler.upscale(testPicture(360, 360));
      const convolutions = 2 * 15 + 2; // each would keep 36 bytes a pixel
      expect(heap() - before).toBeLessThan(36 * convolutions * 360 ** 2);
    },
  );

  test("overlapping tiles that reach far enough are exact", async () => {
    count();
    const picture = testPicture(90, 60);
    const whole = await upscaler.upscale(picture);
    const tiled = await upscaler.upscale(picture, { tile: { size: 32, overlap: 34 } });
    expect(tiled.exact).toBe(true);
    expect(worst(tiled.image.data, whole.image.data)).toBeLessThanOrEqual(1);
  });

  test("overlapping tiles are cross-faded, and said to be inexact", async () => {
    count();
    const picture = testPicture(90, 60);
    const whole = await upscaler.upscale(picture);
    const tiled = await upscaler.upscale(picture, { tile: { size: 32, overlap: 16 } });
    expect(tiled.exact).toBe(false);
    expect(tiled.plan).toMatch(/tiles of 30 pixels, overlap 16, not exact/);
    let total = 0;
    tiled.image.data.forEach((value, i) => (total += Math.abs(value - whole.image.data[i]!)));
    expect(total / tiled.image.data.length).toBeLessThan(2);
  });

  test("the same picture gives the same bytes again", async () => {
    count();
    const { given } = samplesOf("rrdb-x4", 4).colour;
    const results = [await upscaler.upscale(given), await upscaler.upscale(given)];
    expect(results[0]!.image.data).toEqual(results[1]!.image.data);
  });

  test("one colour keeps its value", async () => {
    count();
    const data = new Uint8ClampedArray(4 * 9).fill(254);
    const { image } = await upscaler.upscale({ width: 3, height: 3, data });
    expect(new Set(image.data)).toEqual(new Set([254]));
  });

  test("a single pixel, and a row of pixels", async () => {
    count();
    const { image } = await upscaler.upscale({
      width: 1,
      height: 1,
      data: new Uint8ClampedArray([1, 2, 3, 255]),
    });
    expect([image.width, image.height]).toEqual([4, 4]);
    const row = await upscaler.upscale(testPicture(9, 1));
    expect([row.image.width, row.image.height]).toEqual([36, 4]);
  });

  test("previews are the pixels of the result", async () => {
    const picture = samplesOf("rrdb-x4", 4).alpha.given;
    const parts: {
      top: number;
      left: number;
      height: number;
      width: number;
      preview: { data: Uint8ClampedArray } | undefined;
    }[] = [];
    const { image } = await upscaler.upscale(picture, { onTile: (tile) => parts.push(tile) });
    const shown = parts.filter(({ preview }) => preview);
    expect(shown).toHaveLength(1);
    expect(shown[0]!.preview!.data).toEqual(image.data);
  });

  test("alpha can be resized or dropped", async () => {
    const { given } = samplesOf("rrdb-x4", 4).alpha;
    const { image: dropped } = await upscaler.upscale(given, { alpha: "drop" });
    expect(dropped.data.every((value, i) => i % 4 < 3 || value === 255)).toBe(true);
    const { image: resized } = await upscaler.upscale(given, { alpha: "resize" });
    expect(resized.data[3]).toBe(0);
  });

  test("progress grows to 1", async () => {
    const shares: number[] = [];
    await upscaler.upscale(testPicture(200, 200), { onProgress: (share) => shares.push(share) });
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBeCloseTo(1);
    expect(shares.length).toBeGreaterThan(4);
  });

  test("an abort ends the work between two steps and frees everything", async () => {
    count();
    const abort = new AbortController();
    const reason = new Error("enough");
    let calls = 0;
    const work = upscaler.upscale(testPicture(150, 150), {
      signal: abort.signal,
      onProgress: () => {
        if (++calls === 3) abort.abort(reason);
      },
    });
    await expect(work).rejects.toBe(reason);
    expect(calls).toBe(3);
  });

  test("an abort in the tail, and before the start", async () => {
    count();
    const abort = new AbortController();
    const tiles: unknown[] = [];
    const work = upscaler.upscale(testPicture(200, 200), {
      signal: abort.signal,
      onTile: (tile) => {
        tiles.push(tile);
        abort.abort();
      },
    });
    await expect(work).rejects.toMatchObject({ name: "AbortError" });
    expect(tiles).toHaveLength(1);
    await expect(upscaler.upscale(testPicture(4, 4), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: "AbortError",
    });
  });

  test("what a callback throws comes back, and frees everything", async () => {
    count();
    const work = upscaler.upscale(testPicture(30, 30), {
      onTile: () => {
        throw new Error("my own: out of memory");
      },
    });
    await expect(work).rejects.toThrow("my own");
  });

  test("several pictures wait for each other", async () => {
    count();
    const order: number[] = [];
    await Promise.all(
      [30, 20, 10].map(async (size, index) => {
        await upscaler.upscale(testPicture(size, size));
        order.push(index);
      }),
    );
    expect(order).toEqual([0, 1, 2]);
  });

  test.each([[{ tile: { size: 3 } }], [{ alpha: "burn" as "drop" }]])("refuses %o", async (options) => {
    count();
    await expect(upscaler.upscale(testPicture(20, 20), options)).rejects.toThrow(OptionError);
  });

  test("refuses pixels that are too few", async () => {
    const data = new Uint8ClampedArray(7);
    await expect(upscaler.upscale({ width: 2, height: 1, data })).rejects.toThrow(
      /have 8 values in RGBA, but data has 7/,
    );
  });
});
