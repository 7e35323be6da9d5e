/** The shaders: against TF.js in plain JavaScript, whatever the sizes and the precision; leaks, aborts and lost devices. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startBackend } from "../../src/engine/backend.js";
import type { Network } from "../../src/engine/network.js";
import { TfjsNetwork } from "../../src/engine/tfjs.js";
import { Machine } from "../../src/engine/webgpu/device.js";
import { planOf, WebgpuNetwork } from "../../src/engine/webgpu/network.js";
import type { Pace } from "../../src/engine/webgpu/pace.js";
import type { Shape } from "../../src/engine/webgpu/shapes.js";
import type { Precision } from "../../src/engine/webgpu/spec.js";
import { chooseShape } from "../../src/engine/webgpu/tune.js";
import { fetchModel, type Model } from "../../src/models/download.js";
import { builtIn } from "../../src/models/builtin.js";
import type { Bytes } from "../../src/models/bytes.js";
import type { ShardCache } from "../../src/models/cache.js";
import { filesPlace } from "../../src/models/places.js";
import { Upscaler } from "../../src/node.js";
import { folderOf, NAMES, testPicture, worst, type Name } from "../fixtures.js";
import { hasGpu } from "../gpu.js";

const SMALL: Shape = { workgroup: [8, 4], pixels: [1, 1], outputs: 1, staged: false };
const STAGED: Shape = { workgroup: [4, 4], pixels: [2, 1], outputs: 2, staged: true };

const modelOf = (name: Name): Promise<Model> =>
  fetchModel({
    name,
    remote: false,
    read: (file) => Promise.resolve(new Uint8Array(readFileSync(join(folderOf(name), file)))),
  });

const pattern = (count: number) =>
  Float32Array.from({ length: count }, (_, index) => ((index * 73) % 101) / 100);

async function computed(
  network: Network,
  height: number,
  width: number,
  given?: Float32Array,
): Promise<Float32Array> {
  const { unshuffle, inChannels } = network.info;
  const [rows, columns] = [height * unshuffle, width * unshuffle];
  const values = given ?? pattern(rows * columns * inChannels);
  const features = await network.trunk(values, rows, columns, () => Promise.resolve());
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

  test("float16, by rounding what it would round: 50 dB with weights of a real network", async () => {
    const { name, files } = await builtIn();
    const model = await fetchModel(filesPlace(name, files));
    const reference = await TfjsNetwork.load(model, await startBackend("cpu", {}));
    const { network } = await started(model, "rounded");
    const { data } = testPicture(18, 20);
    const values = Float32Array.from(
      { length: 18 * 20 * 3 },
      (_, n) => data[4 * Math.floor(n / 3) + (n % 3)]! / 255,
    );
    const found = decibels(
      await computed(network, 20, 18, values),
      await computed(reference, 20, 18, values),
    );
    expect(found).toBeGreaterThan(50);
    expect(found).toBeLessThan(90); // it does round
    reference.dispose();
    network.dispose();
  });

  test("shapes that share pixels and weights in a workgroup compute the same", async () => {
    const model = await modelOf("rrdb-x2");
    const [plain, staged] = [await started(model), await started(model, "float32", STAGED)];
    const expected = await computed(plain.network, 11, 9);
    expect(worst(await computed(staged.network, 11, 9), expected)).toBeLessThan(1e-5);
    for (const { network } of [plain, staged]) network.dispose();
  });

  describe("one network", () => {
    let machine: Machine;
    let network: WebgpuNetwork;
    beforeAll(async () => {
      ({ machine, network } = await started(await modelOf("compact-x4")));
    });
    afterAll(() => network?.dispose());

    test("cut into workgroups, it computes the same, and an abort comes between two of them", async () => {
      const expected = await computed(network, 21, 17);
      const { pace } = network as unknown as { pace: Pace };
      const note = pace.note.bind(pace);
      Object.assign(pace, { most: 1, note: () => undefined });
      const shares: number[] = [];
      const values = pattern(21 * 17 * 3);
      const stopped = network.trunk(values, 21, 17, (share) => {
        shares.push(share);
        return shares.length === 4 ? Promise.reject(new Error("enough")) : Promise.resolve();
      });
      await expect(stopped).rejects.toThrow("enough");
      expect(shares).toHaveLength(4);
      expect(shares[3]).toBeLessThan(0.5);
      expect([...shares].sort((a, b) => a - b)).toEqual(shares);
      expect(worst(await computed(network, 21, 17), expected)).toBe(0);
      Object.assign(pace, { most: 1e7, note });
    });

    test("200 pictures leave no buffer behind", async () => {
      const alive = new Set<GPUBuffer>();
      const create = machine.device.createBuffer.bind(machine.device);
      machine.device.createBuffer = (descriptor) => {
        const buffer = create(descriptor);
        alive.add(buffer);
        const destroy = buffer.destroy.bind(buffer);
        buffer.destroy = (): undefined => {
          alive.delete(buffer);
          destroy();
        };
        return buffer;
      };
      await computed(network, 30, 30);
      const before = alive.size;
      expect(before).toBeGreaterThan(0);
      for (let call = 0; call < 200; call++) await computed(network, 1 + (call % 7), 1 + (call % 5));
      expect(alive.size).toBe(before);
      await computed(network, 60, 60); // larger ones take the place of those
      expect(alive.size).toBe(before);
    });

    test("what no buffer of the device holds is known before, and told as memory", async () => {
      expect(network.bytes(10, 10, 64)).toBeLessThan(network.bytes(100, 100, 64));
      expect(network.bytes(60_000, 60_000, 64)).toBe(Infinity);
      const large = network.trunk(new Float32Array(3), 60_000, 60_000, () => Promise.resolve());
      await expect(large).rejects.toThrow(/^out of memory/);
      expect(await computed(network, 4, 4)).toHaveLength(16 * 16 * 3);
    });
  });

  test("a device that is lost in the middle is replaced, and the picture is right", async () => {
    const opened: Machine[] = [];
    const open = Machine.open.bind(Machine);
    const spy = vi.spyOn(Machine, "open").mockImplementation(async () => {
      opened.push(await open());
      return opened.at(-1)!;
    });
    try {
      await using upscaler = await Upscaler.load(folderOf("compact-x4"), {
        backend: "webgpu",
        engine: "kernels",
        cache: false, // where a shape would be remembered
      });
      const given = testPicture(150, 200); // so large that it is computed in several steps
      let lost = false;
      const onProgress = () => {
        if (!lost) opened.at(-1)!.close();
        lost = true;
      };
      const result = await upscaler.upscale(given, { onProgress });
      expect(lost).toBe(true);
      expect(opened).toHaveLength(2);
      expect(result).toMatchObject({ backend: "webgpu", engine: "kernels", exact: true, divided: 0 });
      await using other = await Upscaler.load(folderOf("compact-x4"), { backend: "wasm" });
      const expected = await other.upscale(given);
      expect(worst(result.image.data, expected.image.data)).toBeLessThanOrEqual(1);
      expect(upscaler.reason).toMatch(
        /^as requested; kernels in float32 on .*swiftshader.*; kernel shape measured, of \d/i,
      );
    } finally {
      spy.mockRestore();
    }
  });

  test("one that is emulated is not tried unasked", async () => {
    await using upscaler = await Upscaler.load(folderOf("compact-x4"));
    expect(upscaler.backend).toBe("wasm");
    expect(upscaler.reason).toMatch(/engine kernels on webgpu fails: .* is emulated on the processor/);
  });

  test("the fastest shape is remembered", async () => {
    const kept = new Map<string, Bytes>();
    const memory: ShardCache = {
      get: (key) => Promise.resolve(kept.get(key)),
      put: async (key, data) => {
        await Promise.resolve(kept.set(key, data));
      },
      delete: async (key) => {
        await Promise.resolve(kept.delete(key));
      },
    };
    const machine = await Machine.open();
    const { trunk } = planOf(await modelOf("compact-x4"), "float32");
    const first = await chooseShape(machine, [trunk], "float32", memory);
    const second = await chooseShape(machine, [trunk], "float32", memory);
    expect(first.reason).toMatch(/measured, of/);
    expect(second).toEqual({ shape: first.shape, reason: "kernel shape as measured before" });
    // another network's is measured anew
    const other = planOf(await modelOf("span-x2"), "float32").trunk;
    expect((await chooseShape(machine, [other], "float32", memory)).reason).toMatch(/measured, of/);
    machine.close();
  });
});
