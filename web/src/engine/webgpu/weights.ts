/** Weights as the shaders read them: matrices of four inputs by four outputs. */
import { channelsOf, Unsupported, type Convolution } from "../kernels/layers.js";
import type { Bytes } from "../../models/bytes.js";

const MATRIX = 16;
// rows of a filter of three taps that each of two taps sums, for either of the two pixels that a pixel becomes
const SUMMED = [
  [[0], [1, 2]],
  [[0, 1], [2]],
];

/**
 * Matrices in the order (group of outputs, group of inputs, pixel of an enlargement, row, column); a matrix is four
 * columns, one an input.
 */
export function layOutFilter(layer: Convolution): Float32Array<ArrayBuffer> {
  const { filter, side, enlarge, outputs, sources } = layer;
  const inputs = sources.reduce((sum, source) => sum + channelsOf(source), 0);
  const rows = sources.flatMap((source, index) => {
    const start = sources.slice(0, index).reduce((sum, before) => sum + channelsOf(before), 0);
    const count = channelsOf(source);
    return Array.from({ length: Math.ceil(count / 4) * 4 }, (_, c) => (c < count ? start + c : undefined));
  });
  const taps = tapsOf(side, enlarge);
  const result = new Float32Array(Math.ceil(outputs / 4) * 4 * rows.length * taps.length);
  let at = 0;
  for (let o = 0; o < outputs; o += 4)
    for (let g = 0; g < rows.length; g += 4)
      for (const tap of taps) {
        for (let n = 0; n < MATRIX; n++) {
          const [input, output] = [rows[g + (n >> 2)], o + (n & 3)];
          if (input === undefined || output >= outputs) continue;
          let sum = 0;
          for (const place of tap) sum += filter[(place * inputs + input) * outputs + output]!;
          result[at + n] = sum;
        }
        at += MATRIX;
      }
  return result;
}

/** For each product the places in the filter whose weights it sums. */
function tapsOf(side: 1 | 3, enlarge: 1 | 2): number[][] {
  if (enlarge === 1) return Array.from({ length: side ** 2 }, (_, tap) => [tap]);
  if (side === 1) throw new Unsupported("a 1x1 convolution follows an enlargement");
  const pairs = SUMMED.flatMap((dy) => SUMMED.map((dx) => [dy, dx] as const));
  return pairs.flatMap(([dy, dx]) =>
    dy.flatMap((ys) => dx.map((xs) => ys.flatMap((y) => xs.map((x) => y * 3 + x)))),
  );
}

/** Biases, then slopes of negative values, four a group. */
export function layOutConstants({ bias, slopes, outputs }: Convolution): Float32Array<ArrayBuffer> {
  const padded = Math.ceil(outputs / 4) * 4;
  const result = new Float32Array(2 * padded);
  result.set(bias);
  if (slopes) result.set(slopes, padded);
  return result;
}

const words = new Uint32Array(1);
const floats = new Float32Array(words.buffer);

/** Bits of the nearest float16, halves to even. */
export function toHalf(value: number): number {
  floats[0] = value;
  const word = words[0]!;
  const sign = (word >>> 16) & 0x8000;
  const size = word & 0x7fffffff;
  if (size >= 0x47800000) return sign | (size > 0x7f800000 ? 0x7e00 : 0x7c00);
  if (size < 0x38800000) return sign | toEven(Math.abs(value) * 2 ** 24);
  const kept = size - 0x38000000;
  const up = (kept & 0x1fff) + ((kept >>> 13) & 1) > 0x1000 ? 1 : 0;
  return sign | ((kept >>> 13) + up);
}

function toEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0);
}

export function halves(values: Float32Array): Bytes {
  return new Uint8Array(Uint16Array.from(values, toHalf).buffer);
}
