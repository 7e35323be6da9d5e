/** Calls by rows: what is planned by itself, aborts, errors, memory that ends. */
import { expect, test } from "vitest";
import { startKernels } from "../../src/engine/kernels/wasm.js";
import { KernelRows } from "../../src/engine/kernels/rows.js";
import { registerEngine } from "../../src/engine/ways.js";
import { NonFiniteError, OutOfMemoryError } from "../../src/errors.js";
import { Upscaler, type TileEvent } from "../../src/node.js";
import {
  check,
  golden,
  goldenPicture,
  heapOf,
  heapPrototype,
  loaded,
  narrow,
  networkOf,
  type Place,
} from "../by-rows.js";
import { folderOf, testPicture, worst } from "../fixtures.js";

test("what does not fit whole goes by rows by itself, in the memory that was planned", async () => {
  const network = await networkOf("compact-x4", 2);
  const [height, width] = [803, 61];
  const planned = network.byRows!.bytes(height, width);
  expect(planned).toBeLessThan(0.3 * network.bytes(height, width, 128));
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

  await using upscaler = await Upscaler.load(folderOf("compact-x4"), {
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
  for (const [index, { top, left, height: rows, width: columns, preview, done, total }] of tiles.entries()) {
    expect([top, left, columns, done, total]).toEqual([end, 0, 4 * width, index + 1, tiles.length]);
    const part = result.image.data.subarray(16 * width * top, 16 * width * (top + rows));
    expect(worst(preview!.data, part)).toBe(0);
    end += rows;
  }
  expect(end).toBe(4 * height);
  expect(tiles.length).toBeGreaterThan(2);
  expect(shares).toEqual([...shares].sort((a, b) => a - b));
  expect(shares.length).toBeGreaterThanOrEqual(tiles.length);
  expect(shares.at(-1)).toBe(1);
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
      throw new Error("out of memory: WebAssembly cannot allocate 9 MiB");
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
  const { image } = await (await Upscaler.load(folderOf("compact-x4"), { backend: "wasm" })).upscale(picture);
  expect(worst(result.image.data, image.data)).toBeLessThanOrEqual(1);
});

test("where another engine has to take over, it goes by tiles", async () => {
  registerEngine("cpu", async (model) => {
    const computer = await startKernels(model);
    const restart = () => {
      computer.network.dispose();
      return Promise.reject(new Error("WebAssembly cannot have its memory again"));
    };
    return { ...computer, restart };
  });
  const { run } = KernelRows.prototype;
  KernelRows.prototype.run = async function* () {
    throw await Promise.resolve(new Error("out of memory: WebAssembly cannot allocate 9 MiB"));
  };
  try {
    await using upscaler = await Upscaler.load(folderOf("compact-x4"), { backend: "cpu", memory: 8e6 });
    const result = await upscaler.upscale(testPicture(61, 803));
    expect(result).toMatchObject({ engine: "tfjs", backend: "cpu" });
    expect(upscaler.engine).toBe("tfjs");
    expect(result.plan).not.toContain("by rows");
    KernelRows.prototype.run = run;
    await using other = await Upscaler.load(folderOf("compact-x4"), { backend: "wasm" });
    const { image } = await other.upscale(testPicture(61, 803));
    if (result.exact) expect(worst(result.image.data, image.data)).toBeLessThanOrEqual(1);
  } finally {
    KernelRows.prototype.run = run;
    registerEngine("cpu", () => Promise.reject(new Error("there is none")));
  }
});

test("memory that is never enough is an error that says for what", async () => {
  await using upscaler = await loaded("compact-x4", 1);
  const { run } = KernelRows.prototype;
  KernelRows.prototype.run = async function* () {
    throw await Promise.resolve(new Error("out of memory: WebAssembly cannot allocate 9 MiB"));
  };
  try {
    const work = narrow(70, () => upscaler.upscale(testPicture(70, 30)));
    await expect(work).rejects.toThrow(
      /^even a strip of \d+ columns does not fit in memory \(.* 9 MiB\); free memory/,
    );
  } finally {
    KernelRows.prototype.run = run;
  }
});

test("without memory for a strip the error has the numbers, and says what to do", async () => {
  await using upscaler = await loaded("rrdb-x4", 1);
  const needs = /^300x200 pixels need \d+ MiB, or [\d,]+ MiB by rows, but 1 MiB are allowed/;
  for (const tile of ["auto", "exact"] as const) {
    const refused = narrow(0, () => upscaler.upscale(testPicture(300, 200), { tile }));
    await expect(refused).rejects.toThrow(OutOfMemoryError);
    await expect(refused).rejects.toThrow(needs);
    await expect(refused).rejects.toThrow(
      tile === "exact" ? /raise `memory`, use a smaller picture/ : /tiles of 32 pixels/,
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
