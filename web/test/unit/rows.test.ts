/** By rows: the plans and pictures of `tests/golden/rows.json`, which Python reads too, and what else may happen. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Network } from "../../src/engine/network.js";
import { KernelsNetwork } from "../../src/engine/kernels/network.js";
import { nodeSpawner } from "../../src/engine/kernels/node.js";
import { Heap } from "../../src/engine/kernels/module.js";
import { KernelRows } from "../../src/engine/kernels/rows.js";
import { useSpawner } from "../../src/engine/kernels/threads.js";
import { NonFiniteError, OutOfMemoryError } from "../../src/errors.js";
import { fetchModel, type Model } from "../../src/models/download.js";
import type { ModelInfo } from "../../src/models/manifest.js";
import { Upscaler, type Picture, type TileEvent } from "../../src/node.js";
import { makePlan, type Tiling } from "../../src/tiling/plan.js";
import { bytesOf, folderOf, NAMES, samplesOf, testPicture, worst, type Name } from "../fixtures.js";

interface Golden {
  plans: {
    network: Pick<ModelInfo, "scale" | "unshuffle" | "tailHalo" | "receptiveField" | "overlap">;
    height: number;
    width: number;
    tiling: Tiling;
    budget: number;
    pixel: number;
    column: number;
    fixed: number;
    plan:
      | { refused: true }
      | { byRows: boolean; exact: boolean; windows: number; memory: number; strips?: number[][] };
  }[];
  needs: { network: Name; sizes: [number, number, number]; bytes: number }[];
  pictures: Record<Name, Record<string, string>>;
}

const golden = JSON.parse(
  readFileSync(new URL("../../../tests/golden/rows.json", import.meta.url), "utf8"),
) as Golden;
const SCALES = { "rrdb-x4": 4, "rrdb-x2": 2, "compact-x4": 4, "span-x2": 2 };
const usual = await nodeSpawner();
afterAll(() => useSpawner(usual));

const modelOf = (name: Name): Promise<Model> =>
  fetchModel({
    name,
    remote: false,
    read: (file) => Promise.resolve(new Uint8Array(readFileSync(`${folderOf(name)}/${file}`))),
  });

async function networkOf(name: Name, threads: number): Promise<KernelsNetwork> {
  useSpawner({ ...usual, threads });
  const network = await KernelsNetwork.load(await modelOf(name));
  expect(network.threads).toBe(threads);
  return network;
}

/** The picture of `tests/support/golden_rows.py`. */
function goldenPicture(): Picture {
  const [height, width] = [203, 21];
  const data = new Uint8ClampedArray(4 * height * width);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const values = [(x * 7) ^ (y * 5), y * 3 + x * x, Math.floor((y * x) / 3)].map((value) => value % 256);
      data.set([...values, 255], 4 * (y * width + x));
    }
  return { width, height, data };
}

/** Let nothing but strips of so many columns fit, whatever they take. */
async function narrow<T>(columns: number, work: () => Promise<T>): Promise<T> {
  const { bytes } = KernelRows.prototype;
  KernelRows.prototype.bytes = (_, width) => (width <= columns ? 1 : 1e9 * width);
  try {
    return await work();
  } finally {
    KernelRows.prototype.bytes = bytes;
  }
}

test.each(golden.plans)("golden plan of $height x $width, $tiling, $budget", (given) => {
  const { network, height, width, tiling, budget, pixel, column, fixed, plan } = given;
  const info = { ...network, tile: 128 } as ModelInfo;
  const up = (size: number) => Math.ceil(size / info.unshuffle) * info.unshuffle;
  const make = () =>
    makePlan(
      info,
      up(height),
      up(width),
      tiling,
      budget,
      (rows, columns) => pixel * rows * columns,
      (_, columns) => column * columns + fixed,
    );
  if ("refused" in plan) {
    expect(make).toThrow(OutOfMemoryError);
    return;
  }
  const { windows, ...made } = make();
  const { strips, windows: count, ...expected } = plan;
  expect(made).toMatchObject(expected);
  expect(windows).toHaveLength(count);
  if (strips) {
    const shown = [...windows.slice(0, 2), windows.at(-1)!];
    const found = shown.map(({ left, width, windowLeft, windowWidth }) => [
      left,
      width,
      windowLeft,
      windowWidth,
    ]);
    expect(found).toEqual(strips);
    for (const { top, height: rows, windowTop, windowHeight } of windows)
      expect([top, rows, windowTop, windowHeight]).toEqual([0, up(height), 0, up(height)]);
  }
});

describe.each(NAMES)("%s", (name) => {
  const networks = new Map<number, KernelsNetwork>();
  beforeAll(async () => {
    for (const threads of [1, 2, 4]) networks.set(threads, await networkOf(name, threads));
  });
  afterAll(() => networks.forEach((network) => network.dispose()));

  test.skipIf(!golden.needs.some(({ network }) => network === name))(
    "the kernels need what Python's do",
    () => {
      const cases = golden.needs.filter(({ network }) => network === name);
      expect(cases.length).toBeGreaterThan(3);
      for (const { sizes, bytes } of cases) {
        const [height, width, threads] = sizes;
        expect(networks.get(threads)!.byRows!.trunkBytes(height, width), String(sizes)).toBe(bytes);
      }
    },
  );

  test.each([
    [1, 1],
    [1, 90],
    [90, 1],
    [7, 5],
    [131, 18],
    [64, 67],
    [203, 17],
  ])("%dx%d features by rows are as the whole, whatever memory held before", async (rows, columns) => {
    const fold = networks.get(1)!.info.unshuffle;
    const [height, width] = [rows * fold, columns * fold];
    const values = Float32Array.from(
      { length: height * width * 3 },
      (_, index) => ((index * 73) % 101) / 100,
    );
    const expected = await wholeOf(networks.get(1)!, values, height, width);
    for (const threads of [1, 2]) {
      const network = networks.get(threads)!;
      const before = poison(network);
      const found = await byRows(network, values, height, width);
      expect(worst(found, expected)).toBeLessThan(1e-5);
      expect(heapOf(network).mark()).toBe(before);
    }
  });

  test.each([1, 2])("the golden picture, with %d threads", async (threads) => {
    await using upscaler = await loaded(name, threads);
    const { plan, exact, image } = await narrow(22, () => upscaler.upscale(goldenPicture()));
    expect(plan).toMatch(/^whole picture by rows, exact, about 1 MiB \(trunk by rows, tail in bands\)$/);
    expect(exact).toBe(true);
    check(image, golden.pictures[name], SCALES[name]);
  });

  test("strips of columns, colour, gray and transparent", async () => {
    await using upscaler = await loaded(name, 2);
    await using unlimited = await Upscaler.load(folderOf(name), { backend: "wasm", engine: "kernels" });
    const reach = upscaler.info.receptiveField;
    const colour = testPicture(3 * reach + 71, 25);
    const gray = {
      ...colour,
      data: colour.data.map((_, at) => (at % 4 === 3 ? 255 : colour.data[at - (at % 4)]!)),
    };
    const clear = {
      ...colour,
      data: colour.data.map((value, at) => (at % 4 === 3 && at % 7 ? at % 251 : value)),
    };
    for (const picture of [colour, gray, clear]) {
      const most = Math.ceil(picture.width / 3) + 2 * reach + 4;
      const found = await narrow(most, () => upscaler.upscale(picture));
      expect(found.plan).toMatch(
        /^[2-4] strips of columns by rows, exact, .*trunk by rows, \d+% of it twice/,
      );
      expect(found).toMatchObject({ exact: true, divided: 0 });
      const expected = await unlimited.upscale(picture);
      expect(expected.plan).toMatch(/^whole picture, exact/);
      expect(worst(found.image.data, expected.image.data)).toBeLessThanOrEqual(1);
    }
  });
});

describe("calls", () => {
  test("what does not fit whole goes by rows by itself, in the memory that was planned", async () => {
    useSpawner({ ...usual, threads: 2 });
    const network = await networkOf("rrdb-x4", 2);
    const [height, width] = [4000, 40];
    const planned = network.byRows!.bytes(height, width);
    expect(planned).toBeLessThan(0.7 * network.bytes(height, width, 128));
    const heap = heapOf(network);
    const { take } = heap;
    let most = 0;
    const before = heap.mark();
    heap.take = (bytes) => {
      const place = take.call(heap, bytes);
      most = Math.max(most, heap.mark() - before);
      return place;
    };
    const picture = testPicture(width, height);
    const read = (top: number, rows: number) =>
      Float32Array.from({ length: rows * width * 3 }, (_, at) => {
        const pixel = top * width + Math.floor(at / 3);
        return picture.data[4 * pixel + (at % 3)]! / 255;
      });
    for await (const band of network.byRows!.run(height, width, read, () => Promise.resolve()))
      expect(band.values.length).toBe(band.height * width * 4 * 3);
    network.dispose();
    expect(most).toBeLessThan(planned);
    expect(most).toBeGreaterThan(planned / 2);

    await using upscaler = await Upscaler.load(folderOf("rrdb-x4"), {
      backend: "wasm",
      engine: "kernels",
      memory: planned,
    });
    const tiles: TileEvent[] = [];
    const shares: number[] = [];
    const result = await upscaler.upscale(picture, {
      onTile: (tile) => tiles.push(tile),
      onProgress: (share) => shares.push(share),
    });
    const mib = Math.ceil(planned / 2 ** 20);
    expect(result.plan).toBe(`whole picture by rows, exact, about ${mib} MiB (trunk by rows, tail in bands)`);
    // rows come from the top, as they are ready
    let end = 0;
    for (const [
      index,
      { top, left, height: rows, width: columns, preview, done, total },
    ] of tiles.entries()) {
      expect([top, left, columns, done, total]).toEqual([end, 0, 4 * width, index + 1, tiles.length]);
      const part = result.image.data.subarray(16 * width * top, 16 * width * (top + rows));
      expect(worst(preview!.data, part)).toBe(0);
      end += rows;
    }
    expect(end).toBe(4 * height);
    expect(tiles.length).toBeGreaterThan(3);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.length).toBeGreaterThan(tiles.length);
    expect(shares.at(-1)).toBeLessThanOrEqual(1);
  });

  test("an abort is heeded between rows, and the next picture is right", async () => {
    await using upscaler = await loaded("rrdb-x4", 2);
    const abort = new AbortController();
    const shares: number[] = [];
    const stopped = narrow(40, () =>
      upscaler.upscale(testPicture(40, 4000), {
        signal: abort.signal,
        onProgress: (share) => {
          shares.push(share);
          if (shares.length === 4) abort.abort(new Error("enough"));
        },
      }),
    );
    await expect(stopped).rejects.toThrow("enough");
    expect(shares).toHaveLength(4);
    expect(shares[3]).toBeLessThan(1);
    const { image } = await narrow(40, () => upscaler.upscale(goldenPicture()));
    check(image, golden.pictures["rrdb-x4"], 4);
  });

  test("an error of the caller's own is told as it is, and memory is given back", async () => {
    await using upscaler = await loaded("compact-x4", 1);
    const onTile = () => {
      throw new Error("out of memory, says the caller");
    };
    const picture = goldenPicture();
    await expect(narrow(40, () => upscaler.upscale(picture, { onTile }))).rejects.toThrow("says the caller");
    const { image, divided } = await narrow(40, () => upscaler.upscale(picture));
    expect(divided).toBe(0);
    check(image, golden.pictures["compact-x4"], 4);
  });

  test("where memory ends by rows, the strip is halved, and the result still exact", async () => {
    await using upscaler = await loaded("compact-x4", 2);
    const { take } = heapPrototype();
    let failures = 0;
    heapPrototype().take = function (this: Place, bytes: number) {
      if (bytes > 100_000 && failures++ === 3)
        throw new Error("out of memory: WebAssembly cannot have 9 MiB");
      return take.call(this, bytes);
    };
    const picture = testPicture(70, 300);
    let result;
    try {
      result = await narrow(70, () => upscaler.upscale(picture));
    } finally {
      heapPrototype().take = take;
    }
    expect(result).toMatchObject({ exact: true, divided: 1 });
    const { image } = await (
      await Upscaler.load(folderOf("compact-x4"), { backend: "wasm" })
    ).upscale(picture);
    expect(worst(result.image.data, image.data)).toBeLessThanOrEqual(1);
  });

  test("memory that is never enough is an error that says for what", async () => {
    await using upscaler = await loaded("compact-x4", 1);
    const { run } = KernelRows.prototype;
    // eslint-disable-next-line require-yield
    KernelRows.prototype.run = async function* () {
      throw await Promise.resolve(new Error("out of memory: WebAssembly cannot have 9 MiB"));
    };
    try {
      const work = narrow(70, () => upscaler.upscale(testPicture(70, 30)));
      await expect(work).rejects.toThrow(
        /^even \d+ columns by rows do not fit in memory: .* 9 MiB; free memory/,
      );
    } finally {
      KernelRows.prototype.run = run;
    }
  });

  test("without memory for a strip the error has the numbers, and says what to do", async () => {
    await using upscaler = await loaded("rrdb-x4", 1);
    const needs = /trunk of 200x300 pixels needs \d+ MiB whole and [\d,]+ MiB by rows, 1 MiB are allowed/;
    for (const tile of ["auto", "exact"] as const) {
      const refused = narrow(0, () => upscaler.upscale(testPicture(300, 200), { tile }));
      await expect(refused).rejects.toThrow(OutOfMemoryError);
      await expect(refused).rejects.toThrow(needs);
      await expect(refused).rejects.toThrow(
        tile === "exact" ? /allow more by `memory`/ : /tiles of 32 pixels/,
      );
    }
  });

  test("weights that are damaged are told of", async () => {
    const network = await networkOf("compact-x4", 1);
    const read = (_: number, rows: number) => new Float32Array(rows * 9 * 3).fill(NaN);
    const bands = network.byRows!.run(20, 9, read, () => Promise.resolve());
    await expect(bands.next()).rejects.toThrow(NonFiniteError);
    network.dispose();
  });
});

/** An upscaler for which nothing fits; see `narrow`. */
async function loaded(name: Name, threads: number): Promise<Upscaler> {
  useSpawner({ ...usual, threads });
  return await Upscaler.load(folderOf(name), { backend: "wasm", engine: "kernels", memory: 100_000 });
}

const heapPrototype = (): Place => Heap.prototype as unknown as Place;

function check({ width, data }: Picture, rows: Record<string, string>, scale: number): void {
  expect(width).toBe(21 * scale);
  for (const [row, text] of Object.entries(rows)) {
    const expected = bytesOf(text);
    const found = Array.from(
      { length: width * 3 },
      (_, at) => data[4 * (Number(row) * width + Math.floor(at / 3)) + (at % 3)]!,
    );
    expect(worst(found, expected), `row ${row}`).toBeLessThanOrEqual(1);
  }
}

interface Place {
  mark(): number;
  take(bytes: number): number;
  release(mark: number): void;
  floats(place: number, count: number): Float32Array;
}
const heapOf = (network: KernelsNetwork): Place => (network as unknown as { heap: Place }).heap;

/** NaN wherever the next picture's maps may come to lie; where they will begin. */
function poison(network: KernelsNetwork): number {
  const heap = heapOf(network);
  const mark = heap.mark();
  const place = heap.take(2 ** 24);
  heap.floats(place, 2 ** 22).fill(NaN);
  heap.release(mark);
  return mark;
}

async function wholeOf(network: Network, values: Float32Array, height: number, width: number) {
  const { unshuffle } = network.info;
  const features = await network.trunk(values, height, width, () => Promise.resolve());
  const result = await network.tail(features, 0, 0, height / unshuffle, width / unshuffle);
  features.dispose();
  return result;
}

async function byRows(network: Network, values: Float32Array, height: number, width: number) {
  const { scale, inChannels, outChannels } = network.info;
  const line = width * inChannels;
  let next = 0;
  const read = (top: number, rows: number) => {
    expect(top).toBe(next);
    next += rows;
    return values.subarray(top * line, next * line);
  };
  const result = new Float32Array(height * width * outChannels * scale ** 2);
  let end = 0;
  let bands = 0;
  for await (const band of network.byRows!.run(height, width, read, () => Promise.resolve())) {
    expect(band.top).toBe(end);
    end += band.height;
    bands++;
    result.set(band.values, band.top * width * scale * outChannels);
  }
  expect([next, end, bands]).toEqual([height, height * scale, network.byRows!.bands(height, width)]);
  return result;
}
