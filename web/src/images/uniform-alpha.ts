/**
 * Alpha that is 0 or full all around stays so when a network enlarges it: the same as `esrgan_torch/images/uniform_alpha.py`,
 * which says why.
 */
import type { Floats } from "../models/bytes.js";
import type { Plane } from "./pixels.js";

// in input pixels from the nearest pixel of another alpha: up to the first distance the network's value counts in full,
// from the second on the given one, and in between they are mixed
const NEAR = 0.25;
const FAR = 1;
const FULL = 255;

/** Change `large`, an enlarged alpha, back to 0 and to 255 where a pixel of `alpha` and its eight neighbours are all that. */
export function keepUniform(large: Plane, alpha: Plane): void {
  const { height, width } = alpha;
  const scale = large.height / height;
  const shares = Array.from({ length: scale }, (_, phase) => {
    const before = (phase + 0.5) / scale; // of the new pixel's centre from the old one's edge, in input pixels
    return [share(before), share(1 - before)] as const;
  });
  for (const value of [0, FULL]) {
    const other = Float32Array.from(alpha.values, (found) => (found === value ? 0 : 1));
    if (other.every((found) => found === 1)) continue;
    // of three old rows at a time: their columns are spread, then the rows themselves
    let [above, here] = [new Float32Array(width * scale), spread(other, 0, width, shares)];
    for (let y = 0; y < height; y++) {
      const below =
        y + 1 < height ? spread(other, (y + 1) * width, width, shares) : new Float32Array(width * scale);
      for (let phase = 0; phase < scale; phase++) {
        const [up, down] = shares[phase]!;
        const first = (y * scale + phase) * large.width;
        for (let x = 0; x < width * scale; x++) {
          const weight = Math.max(here[x]!, Math.fround(up * above[x]!), Math.fround(down * below[x]!));
          if (weight < 1) large.values[first + x] = value + weight * (large.values[first + x]! - value);
        }
      }
      [above, here] = [here, below];
    }
  }
}

/** The network's share at each new column of an old row. */
function spread(
  other: Float32Array,
  first: number,
  width: number,
  shares: readonly (readonly [number, number])[],
): Floats {
  const scale = shares.length;
  const result = new Float32Array(width * scale);
  for (let x = 0; x < width; x++) {
    const left = x > 0 ? other[first + x - 1]! : 0;
    const right = x + 1 < width ? other[first + x + 1]! : 0;
    for (let phase = 0; phase < scale; phase++) {
      const [before, after] = shares[phase]!;
      result[x * scale + phase] = Math.max(other[first + x]!, before * left, after * right);
    }
  }
  return result;
}

/** The network's share at this distance from another alpha: from 1 to 0 without a bend at either end. */
function share(distance: number): number {
  const part = Math.min(Math.max((distance - NEAR) / (FAR - NEAR), 0), 1);
  return Math.fround(1 - part * part * (3 - 2 * part));
}
