/** End to end in Node, on wasm and cpu, against what PyTorch gave. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Network } from "../../src/network.js";
import { fetchModel } from "../../src/download.js";
import {
  BackendError,
  DownloadError,
  IntegrityError,
  NonFiniteError,
  OptionError,
  OutOfMemoryError,
  Upscaler,
} from "../../src/node.js";
import { folderOf, NAMES, samplesOf, testPicture, worst } from "../fixtures.js";

const SCALES = { "rrdb-x4": 4, "rrdb-x2": 2, "compact-x4": 4 };
const scratch = mkdtempSync(join(tmpdir(), "tfjs-esrgan-"));
afterAll(() => rmSync(scratch, { recursive: true }));

describe.each(NAMES)("%s", (name) => {
  const samples = samplesOf(name, SCALES[name]);
  let upscaler: Upscaler;
  beforeAll(async () => {
    upscaler = await Upscaler.load(folderOf(name), { backend: "wasm" });
  });
  afterAll(() => upscaler.dispose());

  test("says what runs, and why", () => {
    expect(upscaler.backend).toBe("wasm");
    expect(upscaler.reason).toMatch(/^as asked; 1 thread; a test tile differs by \d/);
    expect(upscaler.info.scale).toBe(SCALES[name]);
  });

  test.each(["colour", "alpha", "gray"] as const)("%s agrees with PyTorch", async (kind) => {
    const { given, expected } = samples[kind];
    const copy = given.data.slice();
    const result = await upscaler.upscale(given);
    expect(result).toMatchObject({ exact: true, backend: "wasm", divided: 0 });
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
    const network = await Network.load(model, {
      deferred: false,
      keepsAddresses: false,
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
    const picture = testPicture(270, 70); // tiles are of 64 pixels, of 256 where the tail has no convolutions
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

describe("the upscaler", () => {
  let upscaler: Upscaler;
  beforeAll(async () => {
    upscaler = await Upscaler.load(folderOf("rrdb-x4"), { backend: "wasm" });
  });
  afterAll(() => upscaler.dispose());
  let tensors = 0;
  const count = () => (tensors = tf.memory().numTensors);
  afterEach(() => {
    if (tensors) expect(tf.memory().numTensors).toBe(tensors);
    tensors = 0;
  });

  test("what a convolution read is forgotten where the picture is large", async () => {
    const heap = () => (tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8.length;
    const before = heap();
    count();
    await upscaler.upscale(testPicture(360, 360));
    const convolutions = 2 * 15 + 2; // each would keep 36 bytes a pixel
    expect(heap() - before).toBeLessThan(36 * convolutions * 360 ** 2);
  });

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
    await upscaler.upscale(testPicture(40, 40), { onProgress: (share) => shares.push(share) });
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
    await expect(upscaler.upscale({ width: 2, height: 1, data })).rejects.toThrow(/are 8 bytes, given 7/);
  });
});

describe("memory", () => {
  test("a small allowance gives overlapping tiles by itself", async () => {
    await using upscaler = await Upscaler.load(folderOf("rrdb-x4"), { backend: "wasm", memory: 16_000_000 });
    const result = await upscaler.upscale(testPicture(300, 200));
    expect(result.plan).toMatch(/^\d+ tiles/);
    expect(result.exact).toBe(true); // the fixture's measured overlap is more than the network sees
  });

  test.each(["trunk", "tail"] as const)(
    "when it ends in the %s, tiles are divided and the work goes on",
    async (where) => {
      await using upscaler = await Upscaler.load(folderOf("rrdb-x4"), { backend: "cpu" });
      const picture = testPicture(40, 36);
      const expected = await upscaler.upscale(picture);
      const before = tf.memory().numTensors;
      const original = Network.prototype[where] as (...given: unknown[]) => Promise<never>;
      let failures = 0;
      const failing = function (this: Network, ...given: unknown[]) {
        if (failures++ === 0) return Promise.reject(new Error("out of memory"));
        return original.apply(this, given);
      };
      Object.assign(Network.prototype, { [where]: failing });
      try {
        const result = await upscaler.upscale(picture, { tile: { size: 64, overlap: 8 } });
        expect(result.divided).toBe(1);
        expect(result.exact).toBe(where === "tail");
        const limit = where === "tail" ? 0 : 80;
        expect(worst(result.image.data, expected.image.data)).toBeLessThanOrEqual(limit);
      } finally {
        Object.assign(Network.prototype, { [where]: original });
      }
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  test("where dividing is forbidden, the error says so", async () => {
    await using upscaler = await Upscaler.load(folderOf("rrdb-x4"), { backend: "cpu" });
    const original = Network.prototype.trunk as unknown;
    Network.prototype.trunk = () => Promise.reject(new Error("out of memory"));
    try {
      await expect(upscaler.upscale(testPicture(20, 20), { tile: "exact" })).rejects.toThrow(
        OutOfMemoryError,
      );
      await expect(upscaler.upscale(testPicture(20, 20))).rejects.toThrow(/even .* do not fit/);
    } finally {
      Object.assign(Network.prototype, { trunk: original });
    }
  });
});

describe("loading", () => {
  const damaged = (change: (file: Buffer) => Buffer): string => {
    const folder = mkdtempSync(join(scratch, "model-"));
    cpSync(folderOf("compact-x4"), folder, { recursive: true });
    const shard = join(folder, "group1-shard1of1.bin");
    writeFileSync(shard, change(readFileSync(shard)));
    return folder;
  };

  test("a damaged shard is found before it is run", async () => {
    const folder = damaged((file) => {
      file[100]! ^= 1;
      return file;
    });
    const load = Upscaler.load(folder, { backend: "cpu" });
    await expect(load).rejects.toThrow(IntegrityError);
    await expect(load).rejects.toThrow(/group1-shard1of1.bin .* sha256/);
  });

  test("a missing folder, and a missing shard, are named", async () => {
    await expect(Upscaler.load("/nowhere/at/all")).rejects.toThrow(DownloadError);
    const folder = damaged((file) => file);
    rmSync(join(folder, "group1-shard1of1.bin"));
    await expect(Upscaler.load(folder)).rejects.toThrow(/group1-shard1of1.bin/);
  });

  test("a backend that does not start is an error, never another backend", async () => {
    await expect(Upscaler.load(folderOf("compact-x4"), { backend: "webgpu" })).rejects.toThrow(BackendError);
    await expect(Upscaler.load(folderOf("compact-x4"), { backend: "tensorflow" })).rejects.toThrow(
      /tfjs-node is not installed/,
    );
    await expect(Upscaler.load(folderOf("compact-x4"), { backend: "cuda" as "cpu" })).rejects.toThrow(
      OptionError,
    );
  });

  test("auto takes the first that works, and says why not the others", async () => {
    await using upscaler = await Upscaler.load(folderOf("compact-x4"));
    expect(upscaler.backend).toBe("wasm");
    expect(upscaler.reason).toMatch(
      /a test tile differs .*; backend webgpu does not start: .*; backend tensorflow does not start/,
    );
  });

  test("a backend that computes wrongly is not taken", async () => {
    const original = Network.prototype.tail as (...given: unknown[]) => Promise<Float32Array<ArrayBuffer>>;
    const wrong = async function (this: Network, ...given: unknown[]) {
      const values = await original.apply(this, given);
      return tf.getBackend() === "wasm" ? values.fill(0) : values;
    };
    Object.assign(Network.prototype, { tail: wrong });
    const before = tf.memory().numTensors;
    try {
      await expect(Upscaler.load(folderOf("compact-x4"), { backend: "wasm" })).rejects.toThrow(
        /computes a test tile wrongly/,
      );
      expect(tf.memory().numTensors).toBe(before);
      await using upscaler = await Upscaler.load(folderOf("compact-x4"));
      expect(upscaler.backend).toBe("cpu");
    } finally {
      Object.assign(Network.prototype, { tail: original });
    }
  });

  test("weights that give NaN are an error", async () => {
    const folder = mkdtempSync(join(scratch, "nan-"));
    cpSync(folderOf("compact-x4"), folder, { recursive: true });
    const shard = join(folder, "group1-shard1of1.bin");
    const bytes = readFileSync(shard);
    bytes.writeFloatLE(NaN, 0);
    writeFileSync(shard, bytes);
    const { createHash } = await import("node:crypto");
    const text = readFileSync(join(folder, "model.json"), "utf8");
    const hash = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(folder, "model.json"), text.replace(/("group1-shard1of1.bin":")\w{64}/, `$1${hash}`));
    const before = tf.memory().numTensors;
    const load = Upscaler.load(folder, { backend: "cpu" });
    const upscaler = await load;
    await expect(upscaler.upscale(testPicture(8, 8))).rejects.toThrow(NonFiniteError);
    await upscaler.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test("dispose frees every tensor, and ends the use", async () => {
    const before = tf.memory().numTensors;
    const upscaler = await Upscaler.load(folderOf("compact-x4"), { backend: "cpu" });
    expect(tf.memory().numTensors).toBeGreaterThan(before);
    await upscaler.dispose();
    await upscaler.dispose();
    expect(tf.memory().numTensors).toBe(before);
    await expect(upscaler.upscale(testPicture(4, 4))).rejects.toThrow(/disposed/);
  });

  describe("from the web", () => {
    let server: Server;
    let url: string;
    const asked: string[] = [];
    beforeAll(async () => {
      server = createServer((request, response) => {
        asked.push(request.url ?? "");
        try {
          response.end(readFileSync(folderOf("compact-x4") + (request.url ?? "")));
        } catch {
          response.writeHead(404).end();
        }
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterAll(() => server.close());

    test("shards are kept by their content, and a damaged copy is fetched again", async () => {
      const cache = join(scratch, "cache");
      const shares: number[] = [];
      const load = () =>
        Upscaler.load(`${url}/model.json`, {
          backend: "cpu",
          cache,
          onProgress: ({ phase, share }) => {
            if (phase === "download") shares.push(share);
          },
        });
      await (await load()).dispose();
      await (await load()).dispose();
      expect(shares).toEqual([1, 1]);
      expect(asked).toEqual(["/model.json", "/group1-shard1of1.bin", "/model.json"]);
      const [kept] = readdirSync(cache);
      writeFileSync(join(cache, kept!), "damaged");
      await (await load()).dispose();
      expect(asked.at(-1)).toBe("/group1-shard1of1.bin");
    });

    test("what the server refuses is said", async () => {
      await expect(Upscaler.load(`${url}/elsewhere.json`, { cache: false })).rejects.toThrow(/answered 404/);
      await expect(Upscaler.load("http://127.0.0.1:9/model.json", { cache: false })).rejects.toThrow(
        DownloadError,
      );
    });

    test("an abort ends a download", async () => {
      await expect(Upscaler.load(`${url}/model.json`, { signal: AbortSignal.abort() })).rejects.toMatchObject(
        { name: "AbortError" },
      );
    });
  });
});
