/** The shaders: against TF.js in plain JavaScript, whatever the sizes and the precision; leaks, aborts and lost devices. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../src/engine/backend.js";
import type { Network } from "../../src/engine/network.js";
import { TfjsNetwork } from "../../src/engine/tfjs.js";
import { Machine } from "../../src/engine/webgpu/device.js";
import { planOf, WebgpuNetwork } from "../../src/engine/webgpu/network.js";
import type { Shape } from "../../src/engine/webgpu/shapes.js";
import type { Precision } from "../../src/engine/webgpu/spec.js";
import { fetchModel, type Model } from "../../src/models/download.js";
import "../../src/node.js";
import { folderOf, NAMES, worst, type Name } from "../fixtures.js";
import { hasGpu } from "../gpu.js";

const SMALL: Shape = { workgroup: [8, 4], pixels: [1, 1], outputs: 1, staged: false };
const STAGED: Shape = { workgroup: [4, 4], pixels: [2, 2], outputs: 2, staged: true };

const modelOf = (name: Name): Promise<Model> =>
  fetchModel({
    name,
    remote: false,
    read: (file) => Promise.resolve(new Uint8Array(readFileSync(join(folderOf(name), file)))),
  });

const pattern = (count: number) =>
  Float32Array.from({ length: count }, (_, index) => ((index * 73) % 101) / 100);

async function computed(network: Network, height: number, width: number): Promise<Float32Array> {
  const { unshuffle, inChannels } = network.info;
  const [rows, columns] = [height * unshuffle, width * unshuffle];
  const features = await network.trunk(pattern(rows * columns * inChannels), rows, columns, () =>
    Promise.resolve(),
  );
  try {
    return await network.tail(features, 0, 0, height, width);
  } finally {
    features.dispose();
  }
}

async function started(model: Model, precision: Precision = "float32", shape = SMALL) {
  const machine = await Machine.open();
  return { machine, network: await WebgpuNetwork.start(machine, planOf(model, precision), shape) };
}

const decibels = (a: Float32Array, b: Float32Array) =>
  -10 * Math.log10(a.reduce((sum, value, index) => sum + (value - b[index]!) ** 2, 0) / a.length);

describe.skipIf(!hasGpu)("on a GPU", () => {
  describe.each(NAMES)("%s", (name) => {
    let model: Model;
    let reference: TfjsNetwork;
    let network: WebgpuNetwork;
    beforeAll(async () => {
      model = await modelOf(name);
      reference = await TfjsNetwork.load(model, await startBackend("cpu", {}));
      ({ network } = await started(model));
    });
    afterAll(() => {
      for (const one of [reference, network]) one?.dispose();
    });

    test("sizes of every kind, one after the other in the same buffers", async () => {
      for (const [height, width] of [
        [33, 18],
        [1, 1],
        [1, 9],
        [7, 5],
      ] as const) {
        const expected = await computed(reference, height, width);
        expect(worst(await computed(network, height, width), expected)).toBeLessThan(1e-4);
      }
    });

    test("the tail in tiles is the tail at once", async () => {
      const { unshuffle, inChannels } = network.info;
      const [height, width] = [13, 11];
      const values = pattern(height * width * unshuffle ** 2 * inChannels);
      const [rows, columns] = [height * unshuffle, width * unshuffle];
      const features = await network.trunk(values, rows, columns, () => Promise.resolve());
      const all = await network.tail(features, 0, 0, height, width);
      const scale = network.info.scale * unshuffle;
      const length = network.info.outChannels * scale;
      const tiles = network.tailTiles(height, width, 5);
      expect(tiles.length).toBeGreaterThan(1);
      for (const tile of tiles) {
        const { windowTop, windowLeft, windowHeight, windowWidth } = tile;
        const part = await network.tail(features, windowTop, windowLeft, windowHeight, windowWidth);
        for (let y = tile.top * scale; y < (tile.top + tile.height) * scale; y++) {
          const from = (y * width + tile.left) * length;
          const own = ((y - windowTop * scale) * windowWidth + tile.left - windowLeft) * length;
          const [one, other] = [
            all.subarray(from, from + tile.width * length),
            part.subarray(own, own + tile.width * length),
          ];
          expect(worst(one, other)).toBeLessThan(1e-5);
        }
      }
      features.dispose();
    });
  });
});
