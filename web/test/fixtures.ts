/** The models in `fixtures/`, and what PyTorch makes with them; written by `make_fixtures.py`. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { nodeSpawner } from "../src/engine/kernels/node.js";
import type { Spawner } from "../src/engine/kernels/threads.js";
import type { Picture } from "../src/images/pixels.js";

export const NAMES = ["rrdb-x4", "rrdb-x2", "compact-x4", "span-x2"] as const;
export type Name = (typeof NAMES)[number];

export interface Sample {
  readonly given: Picture;
  readonly expected: Picture;
}

interface Entry {
  readonly width: number;
  readonly height: number;
  readonly given: string;
  readonly expected: string;
}

/** Models with weights in other forms; what they compute is not in `expected.json`. */
export const FORMS = ["rrdb-x2-float16", "rrdb-x2-uint8"] as const;
export type Form = (typeof FORMS)[number];

/** Small networks of every scale for one channel and for three: `compact-x3-1`, and so on; nothing but the model. */
export const SIZES = [1, 2, 3, 4].flatMap((scale) =>
  ([1, 3] as const).map((channels) => `sizes/compact-x${scale}-${channels}` as const),
);

export function folderOf(name: Name | Form | (typeof SIZES)[number]): string {
  return fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
}

export function samplesOf(
  name: Name,
  scale: number,
): Record<"colour" | "alpha" | "gray", Sample> & { floats: Float32Array } {
  const text = readFileSync(`${folderOf(name)}/expected.json`, "utf8");
  const document = JSON.parse(text) as Record<"colour" | "alpha" | "gray", Entry> & { floats: string };
  const sample = ({ width, height, given, expected }: Entry): Sample => ({
    given: { width, height, data: bytesOf(given) },
    expected: { width: width * scale, height: height * scale, data: bytesOf(expected) },
  });
  return {
    colour: sample(document.colour),
    alpha: sample(document.alpha),
    gray: sample(document.gray),
    floats: new Float32Array(bytesOf(document.floats).buffer),
  };
}

/** Bytes that came as base64. */
export function bytesOf(base64: string): Uint8ClampedArray<ArrayBuffer> {
  return new Uint8ClampedArray(Buffer.from(base64, "base64"));
}

/** Largest difference of two pictures in levels. */
export function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} and ${b.length} values`);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}

/** A picture with something in every corner, the same on every run. */
export function testPicture(width: number, height: number): Picture {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      data[at] = 127 + 90 * Math.sin(x / 3 + y / 9);
      data[at + 1] = 127 + 90 * Math.cos(y / 4 - x / 11);
      data[at + 2] = ((x * 7) ^ (y * 5)) & 255;
      data[at + 3] = 255;
    }
  }
  return { width, height, data };
}

/** For `useSpawner`: Node's threads, on a machine that is as busy as one with tests may be. */
export async function patientSpawner(threads: number): Promise<Spawner> {
  return { ...(await nodeSpawner()), threads, patience: 50_000 };
}
