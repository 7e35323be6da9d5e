/** The kernels: against TF.js in plain JavaScript, whatever the sizes, the weights' form and the threads. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../src/engine/backend.js";
import { fetchModel, type Model } from "../../src/models/download.js";
import { Constants } from "../../src/engine/kernels/constants.js";
import { Unsupported } from "../../src/engine/kernels/layers.js";
import { KernelsNetwork } from "../../src/engine/kernels/network.js";
import { nodeSpawner } from "../../src/engine/kernels/node.js";
import { GIVEN, PLANE } from "../../src/engine/kernels/operations.js";
import { tailPrograms, trunkPrograms } from "../../src/engine/kernels/program.js";
import { layersOf } from "../../src/engine/kernels/reader.js";
import { threadsFor, useSpawner } from "../../src/engine/kernels/threads.js";
import type { GraphNode } from "../../src/models/manifest.js";
import type { Network } from "../../src/engine/network.js";
import { BackendError, Upscaler } from "../../src/node.js";
import { TfjsNetwork } from "../../src/engine/tfjs.js";
import {
  FORMS,
  folderOf,
  NAMES,
  patientSpawner,
  testPicture,
  worst,
  type Form,
  type Name,
} from "../fixtures.js";

const scratch = mkdtempSync(join(tmpdir(), "tfjs-esrgan-kernels-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const modelIn = (folder: string): Promise<Model> =>
  fetchModel({
    name: folder,
    remote: false,
    read: (file) => Promise.resolve(new Uint8Array(readFileSync(join(folder, file)))),
  });

async function computed(network: Network, height: number, width: number): Promise<Float32Array> {
  const { unshuffle, inChannels } = network.info;
  const values = Float32Array.from(
    { length: height * width * inChannels },
    (_, index) => ((index * 73) % 101) / 100,
  );
  const features = await network.trunk(values, height, width, () => Promise.resolve());
  const result = await network.tail(features, 0, 0, height / unshuffle, width / unshuffle);
  features.dispose();
  return result;
}

const usual = await nodeSpawner();
const alone = await patientSpawner(1);
const several = await patientSpawner(3);
afterAll(() => useSpawner(usual));

describe.each<Name | Form>([...NAMES, ...FORMS])("%s", (name) => {
  let model: Model;
  let reference: TfjsNetwork;
  let single: KernelsNetwork;
  let threaded: KernelsNetwork;
  beforeAll(async () => {
    model = await modelIn(folderOf(name));
    reference = await TfjsNetwork.load(model, await startBackend("cpu", {}));
    useSpawner(alone);
    single = await KernelsNetwork.load(model);
    useSpawner(several);
    threaded = await KernelsNetwork.load(model);
  });
  afterAll(() => {
    for (const network of [reference, single, threaded]) network?.dispose();
  });

  test.each([
    [1, 1],
    [1, 9],
    [7, 5],
    [4, 16],
    [33, 18],
  ])("%dx%d pixels, whose memory held something else before", async (height, width) => {
    const fold = model.manifest.info.unshuffle;
    const expected = await computed(reference, height * fold, width * fold);
    for (const network of [single, threaded]) {
      poison(network);
      expect(worst(await computed(network, height * fold, width * fold), expected)).toBeLessThan(2e-5);
    }
  });

  test("threads change no bit", async () => {
    expect([single.threads, threaded.threads]).toEqual([1, 3]);
    const one = await computed(single, 44, 36);
    for (let round = 0; round < 5; round++) expect(worst(await computed(threaded, 44, 36), one)).toBe(0);
  });
});

/** NaN wherever the next picture's maps may come to lie. */
function poison(network: KernelsNetwork): void {
  const { heap } = network as unknown as {
    heap: { mark(): number; take(bytes: number): number; release(mark: number): void; floats: unknown };
  };
  const mark = heap.mark();
  const place = heap.take(2 ** 24);
  (heap.floats as (place: number, count: number) => Float32Array).call(heap, place, 2 ** 22).fill(NaN);
  heap.release(mark);
}

test("fused sums and products are taken where WebAssembly has them", async () => {
  setFlagsFromString("--experimental-wasm-relaxed-simd");
  useSpawner(alone);
  const model = await modelIn(folderOf("rrdb-x4"));
  const network = await KernelsNetwork.load(model);
  const reference = await TfjsNetwork.load(model, await startBackend("cpu", {}));
  const expected = await computed(reference, 13, 11);
  expect(network.relaxed).toBe(true);
  expect(worst(await computed(network, 13, 11), expected)).toBeLessThan(2e-5);
  reference.dispose();
  network.dispose();
});

describe("programs", () => {
  test("dense blocks are one phase, repeated, with two planes beside the features", async () => {
    const layers = layersOf(await modelIn(folderOf("rrdb-x4")));
    const programs = trunkPrograms(layers);
    const repeated = programs.at(-1)!;
    expect(programs).toHaveLength(2);
    expect(repeated.phases.map(({ length, repeats }) => [length, repeats])).toEqual([
      [2, 1],
      [5, 6],
      [3, 1], // the picture's first maps are computed again
    ]);
    expect(repeated.maps.filter(({ kind }) => kind === PLANE)).toHaveLength(2);
    // within a block each waits for the one before, the first for the last of the block before
    const waits = repeated.operations.slice(2, 12).map((operation) => operation.waits);
    expect(waits).toEqual([[4], [0], [1], [2], [3], [4], [0], [1], [2], [3]]);
  });

  test("a row of convolutions keeps a few rows of each map", async () => {
    const layers = layersOf(await modelIn(folderOf("compact-x4")));
    const [whole] = trunkPrograms(layers);
    expect(whole!.phases).toHaveLength(1);
    expect(whole!.maps.filter(({ kind }) => kind === PLANE)).toHaveLength(0);
    expect(whole!.maps.filter(({ kind }) => kind === GIVEN).length).toBeGreaterThan(1);
    expect(tailPrograms(layers)).toHaveLength(0);
  });

  test("SPAN keeps a few rows of each map too, and its attention is part of a convolution", async () => {
    const programs = trunkPrograms(layersOf(await modelIn(folderOf("span-x2"))));
    const activations = programs[0]!.operations.map(({ layer }) => layer?.activation);
    expect(activations.filter((kind) => kind === "gate")).toHaveLength(6);
    expect(activations.filter((kind) => kind === "silu")).toHaveLength(12);
    expect(programs[0]!.operations).toHaveLength(1 + 1 + 18 + 3); // the picture, the convolutions, nothing else
    expect(programs[0]!.maps.filter(({ kind }) => kind === PLANE)).toHaveLength(0);
  });

  test("memory grows with the width for rows, with the pixels for planes", async () => {
    useSpawner(alone);
    const network = await KernelsNetwork.load(await modelIn(folderOf("rrdb-x4")));
    const perPixel = (side: number) => network.bytes(side, side, 64) / side ** 2;
    const planes = 4 * (3 * 16 + 3);
    expect(perPixel(4096)).toBeLessThan(1.2 * planes);
    expect(perPixel(4096)).toBeGreaterThan(planes);
    network.dispose();
  });
});

describe("weights", () => {
  test.each([
    ["rrdb-x2-float16", 4e-4],
    ["rrdb-x2-uint8", 2e-2],
  ] as const)("%s is near what it was made of", async (form, most) => {
    const [stored, plain] = [await modelIn(folderOf(form)), await modelIn(folderOf("rrdb-x2"))];
    const names = ["conv_body/weight", "body.0/rdb1/conv2/weight", "conv_hr/weight"];
    for (const name of names) {
      const [given, exact] = [stored, plain].map((model) => new Constants(model).get(name));
      expect(given!.shape).toEqual(exact!.shape);
      const error = worst(given!.values, exact!.values);
      expect(error).toBeLessThan(most);
      expect(error).toBeGreaterThan(0);
    }
  });

  test("shards are cut anywhere", async () => {
    const model = await modelIn(folderOf("compact-x4"));
    const [all] = model.shards;
    const cut = { ...model, shards: [all!.slice(0, 1001), all!.slice(1001, 1002), all!.slice(1002)] };
    for (const name of ["body.0/weight", "body.4/weight", "body.8/bias"])
      expect(new Constants(cut).get(name)).toEqual(new Constants(model).get(name));
  });
});

describe("graphs of another form", () => {
  const changed = (change: (text: string) => string): string => {
    const folder = mkdtempSync(join(scratch, "model-"));
    cpSync(folderOf("rrdb-x4"), folder, { recursive: true });
    const file = join(folder, "model.json");
    writeFileSync(file, change(readFileSync(file, "utf8")));
    return folder;
  };
  const relu6 = () => changed((text) => text.replaceAll(btoa("LeakyRelu"), btoa("Relu6")));

  test("are computed by TF.js, and that is said", async () => {
    await using upscaler = await Upscaler.load(relu6(), { backend: "wasm" });
    const { engine, reason } = await upscaler.upscale(testPicture(8, 8));
    expect(engine).toBe("tfjs");
    expect(reason).toMatch(/engine kernels on wasm fails: "body.0\/rdb1\/conv1\/Conv" has a Relu6 in it/);
  });

  test("are refused where the kernels are insisted on", async () => {
    await expect(Upscaler.load(relu6(), { engine: "kernels" })).rejects.toThrow(BackendError);
  });

  interface Node {
    name: string;
    op: string;
    input: string[];
    attr: Record<string, { list?: { i: string[] } }>;
  }
  const reads = (position: number, name: string) => (node: Node) => {
    node.input[position] = name;
  };
  const strides = (node: Node) => {
    node.attr["strides"]!.list!.i = ["1", "2", "2", "1"];
  };
  test.each([
    ["body.0/rdb1/conv2/Conv", strides, /not 3x3/],
    ["body.0/rdb2/Concat", reads(1, "body.0/rdb1/conv5/Conv"), /multiplies what is no convolution's result/],
    ["body.0/rdb1/Mul", reads(1, "body.0/rdb1/Concat"), /multiplies two maps/],
    ["conv_hr/Conv", reads(0, "input"), /reads 3 channels/],
    ["Resize", reads(0, "features"), /a result is not a single map|not stored as a map/],
  ] as const)("a change of %s in RRDBNet is seen", async (name, change, message) => {
    const model = await modelIn(folderOf("rrdb-x4"));
    const nodes = structuredClone(model.manifest.nodes) as unknown as Node[];
    expect(() => layersOf(model)).not.toThrow();
    change(nodes.find((node) => node.name === name)!);
    const manifest = { ...model.manifest, nodes: nodes as readonly GraphNode[] };
    expect(() => layersOf({ ...model, manifest })).toThrow(Unsupported);
    expect(() => layersOf({ ...model, manifest })).toThrow(message);
  });
});

describe("graphs like SPAN's, but not it", () => {
  interface Node {
    name: string;
    input: string[];
  }
  const reads = (position: number, name: string) => (node: Node) => {
    node.input[position] = name;
  };
  test.each([
    ["block_2/Mul", reads(1, "block_1/Sigmoid_2"), /needed otherwise too/],
    ["block_1/Mul_2", reads(1, "block_1/Sigmoid_2"), /another map than its own/],
    ["block_1/Sub", reads(1, "conv_1/bias"), /something else than a half/],
    ["block_2/Add", reads(0, "block_1/c3_r/Conv"), /needed otherwise too/],
    ["Concat", reads(1, "normalise/Conv"), /joins what is not stored/],
  ] as const)("a change of %s is seen", async (name, change, message) => {
    const model = await modelIn(folderOf("span-x2"));
    const nodes = structuredClone(model.manifest.nodes) as unknown as Node[];
    change(nodes.find((node) => node.name === name)!);
    const manifest = { ...model.manifest, nodes: nodes as unknown as readonly GraphNode[] };
    expect(() => layersOf({ ...model, manifest })).toThrow(message);
  });
});

describe("calls", () => {
  test("kernels that compute wrongly are not taken", async () => {
    const original = KernelsNetwork.prototype.tail as (...given: unknown[]) => Promise<Float32Array>;
    const wrong = async function (this: KernelsNetwork, ...given: unknown[]) {
      return (await original.apply(this, given)).fill(0);
    };
    Object.assign(KernelsNetwork.prototype, { tail: wrong });
    try {
      await using upscaler = await Upscaler.load(folderOf("compact-x4"));
      expect((await upscaler.upscale(testPicture(5, 6))).engine).toBe("tfjs");
      expect(upscaler.reason).toMatch(/engine kernels on wasm fails: it computes a test tile wrongly/);
    } finally {
      Object.assign(KernelsNetwork.prototype, { tail: original });
    }
  });

  test("after an abort in the middle of a step, the next picture is right", async () => {
    useSpawner(several);
    const network = await KernelsNetwork.load(await modelIn(folderOf("rrdb-x4")));
    const expected = await computed(network, 21, 17);
    const values = new Float32Array(400 * 400 * 3);
    const shares: number[] = [];
    const stopped = network.trunk(values, 400, 400, (share) => {
      shares.push(share);
      return shares.length === 3 ? Promise.reject(new Error("enough")) : Promise.resolve();
    });
    await expect(stopped).rejects.toThrow("enough");
    expect(shares).toHaveLength(3);
    expect(shares[2]).toBeLessThan(1);
    expect(worst(await computed(network, 21, 17), expected)).toBe(0);
    network.dispose();
  });

  test("memory that cannot be had is told as such, and smaller pictures go on", async () => {
    useSpawner(alone);
    const network = await KernelsNetwork.load(await modelIn(folderOf("rrdb-x4")));
    const [memory, grow] = [WebAssembly.Memory.prototype, WebAssembly.Memory.prototype.grow];
    memory.grow = () => {
      throw new RangeError("no more");
    };
    try {
      const large = network.trunk(new Float32Array(900 * 900 * 3), 900, 900, () => Promise.resolve());
      await expect(large).rejects.toThrow(/^out of memory/);
    } finally {
      memory.grow = grow;
    }
    expect(await computed(network, 8, 8)).toHaveLength(32 * 32 * 3);
    network.dispose();
  });

  test("all of a few cores compute, and half of many", () => {
    expect([1, 2, 4, 6, 12, 128].map(threadsFor)).toEqual([1, 2, 4, 4, 6, 16]);
    expect(usual.threads).toBe(threadsFor(availableParallelism()));
  });

  test.each([
    ["fail", (failed: () => void) => queueMicrotask(failed)],
    ["take too long", () => undefined],
  ])("workers that %s leave one thread", async (_, start) => {
    useSpawner({
      threads: 2,
      patience: 10,
      spawn: (_source, _answered, failed) => {
        start(failed);
        return { postMessage: () => undefined, terminate: () => undefined };
      },
    });
    const network = await KernelsNetwork.load(await modelIn(folderOf("compact-x4")));
    expect(network.threads).toBe(1);
    expect(await computed(network, 4, 4)).toHaveLength(16 * 16 * 3);
    network.dispose();
  });
});
