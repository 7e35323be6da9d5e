/** Bicubic enlargement as MATLAB's imresize does it, for alpha that shall not pass the network. */
import type { Plane } from "./pixels.js";

/** Enlarge by a whole factor; the same values as `esrgan_torch.images.resample.imresize`. */
export function enlarge(plane: Plane, scale: number): Plane {
  const { height, width, channels } = plane;
  const tall = along(plane.values, height, width * channels, 1, scale);
  const values = along(tall, width, channels, height * scale, scale);
  return { height: height * scale, width: width * scale, channels, values };
}

/** Along the middle axis of (outer, size, inner). */
function along(
  values: Uint8ClampedArray,
  size: number,
  inner: number,
  outer: number,
  scale: number,
): Uint8ClampedArray<ArrayBuffer> {
  const result = new Uint8ClampedArray(outer * size * scale * inner);
  for (let to = 0; to < size * scale; to++) {
    const centre = (to + 0.5) / scale - 0.5;
    const first = Math.floor(centre) - 1;
    const taps = [0, 1, 2, 3].map((tap) => {
      const position = first + tap;
      // mirrored borders repeat with a period of twice the size: 0 1 2 2 1 0 0 1 2 ...
      const folded = ((position % (2 * size)) + 2 * size) % (2 * size);
      return { from: Math.min(folded, 2 * size - 1 - folded), weight: cubic(centre - position) };
    });
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let total = 0;
        for (const { from, weight } of taps) total += weight * values[(o * size + from) * inner + i]!;
        result[(o * size * scale + to) * inner + i] = Math.floor(total + 0.5);
      }
    }
  }
  return result;
}

function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x <= 1) return (1.5 * x - 2.5) * x * x + 1;
  return x <= 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}
