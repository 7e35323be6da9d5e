/** End to end in Node, on wasm, against what PyTorch gave. */
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TfjsNetwork } from "../../src/engine/tfjs.js";
import { fetchModel } from "../../src/models/download.js";
import { Upscaler } from "../../src/node.js";
import { folderOf, NAMES, samplesOf, testPicture, worst } from "../fixtures.js";

const SCALES = { "rrdb-x4": 4, "rrdb-x2": 2, "compact-x4": 4, "span-x2": 2 };

describe.each(NAMES)("%s", (name) => {
  const samples = samplesOf(name, SCALES[name]);
  let upscaler: Upscaler;
  beforeAll(async () => {
    upscaler = await Upscaler.load(folderOf(name), { backend: "wasm" });
  });
  afterAll(() => upscaler.dispose());

  test("says what runs, and why", () => {
    expect(upscaler.backend).toBe("wasm");
    expect(upscaler.reason).toMatch(
      /^as requested; kernels with (relaxed )?SIMD; \d threads?; a test tile differs by at most \d/,
    );
    expect(upscaler.info.scale).toBe(SCALES[name]);
  });

  test.each(["colour", "alpha", "gray"] as const)("%s agrees with PyTorch", async (kind) => {
    const { given, expected } = samples[kind];
    const copy = given.data.slice();
    const result = await upscaler.upscale(given);
    expect(result).toMatchObject({ exact: true, backend: "wasm", engine: "kernels", divided: 0 });
    expect([result.image.height, result.image.width]).toEqual([expected.height, expected.width]);
    expect(worst(result.image.data, expected.data)).toBeLessThanOrEqual(1);
    expect(given.data).toEqual(copy);
  });

  test("floats agree with PyTorch to 1e-4", async () => {
    const path = `${folderOf(name)}/`;
    const model = await fetchModel({
      name,
      remote: false,
      read: (file) => Promise.resolve(new Uint8Array(readFileSync(path + file))),
    });
    const network = await TfjsNetwork.load(model, {
      deferred: false,
      keepsAddresses: false,
      im2col: false,
      isLost: () => false,
    });
    const { width, height, data } = samples.colour.given;
    const { unshuffle, scale } = network.info;
    const even = [
      Math.floor(height / unshuffle) * unshuffle,
      Math.floor(width / unshuffle) * unshuffle,
    ] as const;
    // an odd row is cut off, so compare what lies away from it
    const values = new Float32Array(even[0] * even[1] * 3);
    for (let y = 0; y < even[0]; y++)
      for (let x = 0; x < even[1]; x++)
        for (let c = 0; c < 3; c++) values[(y * even[1] + x) * 3 + c] = data[4 * (y * width + x) + c]! / 255;
    const features = await network.trunk(values, even[0], even[1], () => Promise.resolve());
    const result = await network.tail(features, 0, 0, even[0] / unshuffle, even[1] / unshuffle);
    features.dispose();
    network.dispose();
    if (even[0] === height && even[1] === width)
      expect(worst(result, samples.floats)).toBeLessThanOrEqual(1e-4);
    else expect(result).toHaveLength(even[0] * even[1] * 3 * scale ** 2);
  });

  test("tiles of the tail leave no trace", async () => {
    // bands are of 64 rows, of 485 or fewer where the tail has no convolutions
    const picture = ["compact-x4", "span-x2"].includes(name) ? testPicture(540, 500) : testPicture(270, 70);
    const tiles: { done: number; total: number }[] = [];
    const result = await upscaler.upscale(picture, { onTile: (tile) => tiles.push(tile) });
    const untiled = await untiledOf(upscaler, picture);
    expect(tiles.length).toBeGreaterThan(1);
    expect(tiles.at(-1)).toMatchObject({ done: tiles.length, total: tiles.length });
    expect(worst(result.image.data, untiled)).toBe(0);
  });

  test("tensors are balanced over many calls", async () => {
    const before = tf.memory();
    for (let i = 0; i < 20; i++) await upscaler.upscale(testPicture(20 + i, 18));
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numBytes).toBe(before.numBytes);
  });
});

/** The whole picture in one go: a plan whose tail is not cut. */
async function untiledOf(
  upscaler: Upscaler,
  picture: ReturnType<typeof testPicture>,
): Promise<Uint8ClampedArray> {
  const info = upscaler.info as { tile: number };
  const { tile } = info;
  info.tile = 4096;
  try {
    return (await upscaler.upscale(picture)).image.data;
  } finally {
    info.tile = tile;
  }
}
