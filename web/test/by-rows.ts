/** What tests of pictures by rows share. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { Heap } from "../src/engine/kernels/module.js";
import { KernelsNetwork } from "../src/engine/kernels/network.js";
import { KernelRows } from "../src/engine/kernels/rows.js";
import { useSpawner } from "../src/engine/kernels/threads.js";
import { fetchModel, type Model } from "../src/models/download.js";
import type { ModelInfo } from "../src/models/manifest.js";
import { Upscaler, type Picture } from "../src/node.js";
import type { Tiling } from "../src/tiling/plan.js";
import { bytesOf, folderOf, patientSpawner, worst, type Name } from "./fixtures.js";

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

export const golden = JSON.parse(
  readFileSync(new URL("../../tests/golden/rows.json", import.meta.url), "utf8"),
) as Golden;

const modelOf = (name: Name): Promise<Model> =>
  fetchModel({
    name,
    remote: false,
    read: (file) => Promise.resolve(new Uint8Array(readFileSync(`${folderOf(name)}/${file}`))),
  });

export async function networkOf(name: Name, threads: number): Promise<KernelsNetwork> {
  useSpawner(await patientSpawner(threads));
  const network = await KernelsNetwork.load(await modelOf(name));
  expect(network.threads).toBe(threads);
  return network;
}

/** The picture of `tests/support/golden_rows.py`. */
export function goldenPicture(): Picture {
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
export async function narrow<T>(columns: number, work: () => Promise<T>): Promise<T> {
  const { bytes } = KernelRows.prototype;
  KernelRows.prototype.bytes = (_, width) => (width <= columns ? 1 : 1e9 * width);
  try {
    return await work();
  } finally {
    KernelRows.prototype.bytes = bytes;
  }
}

/** An upscaler for which nothing fits; see `narrow`. */
export async function loaded(name: Name, threads: number): Promise<Upscaler> {
  useSpawner(await patientSpawner(threads));
  return await Upscaler.load(folderOf(name), { backend: "wasm", engine: "kernels", memory: 100_000 });
}

/** Whether the golden picture came out as it should. */
export function check({ width, data }: Picture, rows: Record<string, string>, scale: number): void {
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

/** Memory of the module. */
export interface Place {
  mark(): number;
  take(bytes: number): number;
  release(mark: number): void;
  floats(place: number, count: number): Float32Array;
}
export const heapOf = (network: KernelsNetwork): Place => (network as unknown as { heap: Place }).heap;

/** NaN wherever the next picture's maps may come to lie; where they will begin. */
export function poison(network: KernelsNetwork): number {
  const heap = heapOf(network);
  const mark = heap.mark();
  const place = heap.take(2 ** 24);
  heap.floats(place, 2 ** 22).fill(NaN);
  heap.release(mark);
  return mark;
}

export const heapPrototype = (): Place => Heap.prototype;
