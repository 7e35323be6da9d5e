/** MATLAB's bicubic `imresize`, for another size than the network's, and for alpha that shall not pass the network. */
import type { ClampedBytes } from "../models/bytes.js";
import type { Plane } from "./pixels.js";

/** Resize; the same values as `esrgan_torch.images.resample.imresize`: the axis with the smaller scale first, rows if equal. */
export function imresize(plane: Plane, height: number, width: number): Plane {
  if (height === plane.height && width === plane.width) return plane;
  const { channels } = plane;
  const rows = (values: ClampedBytes, columns: number) =>
    along(values, plane.height, columns * channels, 1, height);
  const columns = (values: ClampedBytes, lines: number) => along(values, plane.width, channels, lines, width);
  const values =
    height / plane.height <= width / plane.width
      ? columns(rows(plane.values, plane.width), height)
      : rows(columns(plane.values, plane.height), width);
  return { height, width, channels, values };
}

/** Along the middle axis of (outer, size, inner). */
function along(
  values: ClampedBytes,
  size: number,
  inner: number,
  outer: number,
  newSize: number,
): ClampedBytes {
  if (size === newSize) return values;
  const result = new Uint8ClampedArray(outer * newSize * inner);
  const row = new Float64Array(inner);
  for (let to = 0; to < newSize; to++) {
    const taps = tapsOf(to, size, newSize);
    for (let o = 0; o < outer; o++) {
      row.fill(0);
      for (const { from, weight } of taps) {
        const first = (o * size + from) * inner;
        for (let i = 0; i < inner; i++) row[i]! += weight * values[first + i]!;
      }
      const target = (o * newSize + to) * inner;
      for (let i = 0; i < inner; i++) result[target + i] = Math.floor(row[i]! + 0.5);
    }
  }
  return result;
}

/** Which old pixels a new one is made of, and their weights, whose sum is 1. */
function tapsOf(to: number, size: number, newSize: number): { from: number; weight: number }[] {
  const scale = newSize / size;
  const stretch = Math.min(scale, 1);
  const reach = 2 / stretch;
  const centre = (to + 0.5) / scale - 0.5;
  const taps: { from: number; weight: number }[] = [];
  let sum = 0;
  for (let position = Math.floor(centre - reach); position <= Math.ceil(centre + reach); position++) {
    const weight = cubic(stretch * (centre - position));
    if (weight === 0) continue;
    sum += weight;
    // mirrored borders repeat with a period of twice the size: 0 1 2 2 1 0 0 1 2 ...
    const folded = ((position % (2 * size)) + 2 * size) % (2 * size);
    taps.push({ from: Math.min(folded, 2 * size - 1 - folded), weight });
  }
  return taps.map(({ from, weight }) => ({ from, weight: weight / sum }));
}

function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x <= 1) return (1.5 * x - 2.5) * x * x + 1;
  return x <= 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}
