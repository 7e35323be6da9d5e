/**
 * Pictures of any size from 1x1 to 97x97 through whole networks of every scale, in gray and in colour: the kernels and TF.js,
 * cut and not, give the same.
 */
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { Upscaler } from "../../src/node.js";
import type { Picture } from "../../src/images/pixels.js";
import { folderOf, SIZES, worst, type Name } from "../fixtures.js";
import { runs, side } from "./arbitrary.js";

const NETWORKS = ["rrdb-x4", "rrdb-x2", "span-x2", ...SIZES] as const;
const KINDS = ["gray", "colour", "gray and alpha", "colour and alpha", "flat"] as const;

const loaded = new Map<string, Upscaler>();
afterAll(async () => {
  for (const upscaler of loaded.values()) await upscaler.dispose();
});

async function load(name: Name | (typeof SIZES)[number], engine: "kernels" | "tfjs"): Promise<Upscaler> {
  const key = `${name} ${engine}`;
  const found = loaded.get(key) ?? (await Upscaler.load(folderOf(name), { backend: "wasm", engine }));
  loaded.set(key, found);
  return found;
}

/** Chance, the same for the same seed; alpha has clear, opaque and half clear parts. */
function picture(width: number, height: number, kind: (typeof KINDS)[number], seed: number): Picture {
  const data = new Uint8ClampedArray(4 * width * height);
  let state = seed | 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >>> 24;
  };
  const flat = [next(), next(), next()];
  for (let pixel = 0; pixel < width * height; pixel++) {
    const gray = next();
    for (let c = 0; c < 3; c++)
      data[4 * pixel + c] = kind === "flat" ? flat[c]! : kind.startsWith("gray") ? gray : next();
    data[4 * pixel + 3] = kind.endsWith("alpha") ? Math.max(0, 2 * next() - 128) : 255;
  }
  return { width, height, data };
}

test(
  "every size, scale and number of channels",
  async () => {
    const given = fc.record({
      name: fc.constantFrom(...NETWORKS),
      width: side,
      height: side,
      kind: fc.constantFrom(...KINDS),
      seed: fc.nat(),
      tile: fc.constantFrom(16, 32, 48),
    });
    await fc.assert(
      fc.asyncProperty(given, async ({ name, width, height, kind, seed, tile }) => {
        const source = picture(width, height, kind, seed);
        const copy = source.data.slice();
        const upscaler = await load(name, "kernels");
        const { scale, receptiveField } = upscaler.info;
        const whole = await upscaler.upscale(source);
        expect([whole.image.width, whole.image.height]).toEqual([width * scale, height * scale]);
        expect(whole.exact).toBe(true);
        const size = { size: tile, overlap: receptiveField };
        const cut = await upscaler.upscale(source, { tile: size });
        expect(cut.exact).toBe(true);
        expect(worst(cut.image.data, whole.image.data)).toBeLessThanOrEqual(1);
        const other = await (await load(name, "tfjs")).upscale(source);
        expect(worst(other.image.data, whole.image.data)).toBeLessThanOrEqual(1);
        if (kind === "flat") expect(whole.image.data.slice(0, 4)).toEqual(source.data.slice(0, 4));
        expect(source.data).toEqual(copy);
      }),
      runs(25),
    );
  },
  // more are drawn where somebody asks for them
  process.env["RUNS"] ? 3_600_000 : 60_000,
);
