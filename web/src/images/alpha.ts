/**
 * Colour under transparent pixels, so that a network that looks around sees no fringe there: the same as
 * `esrgan_torch/images/alpha.py`. Source: the pull-push pyramid of Gortler et al., The Lumigraph, SIGGRAPH 1996.
 */
import type { ClampedBytes } from "../models/bytes.js";

interface Level {
  readonly height: number;
  readonly width: number;
  /** Colour times weight, 3 values a pixel. */
  readonly sums: Float32Array;
  /** How much of a pixel is known, 0-1. */
  readonly weight: Float32Array;
}

/**
 * Give fully transparent pixels the colour of the visible ones around them; visible ones keep theirs.
 *
 * @param data RGBA, 8 bits; not changed
 * @returns RGBA; the same array where nothing had to be filled
 */
export function bleed(data: ClampedBytes, height: number, width: number): ClampedBytes {
  const count = height * width;
  const weight = new Float32Array(count);
  const sums = new Float32Array(3 * count);
  let visible = 0;
  for (let pixel = 0; pixel < count; pixel++) {
    if (data[4 * pixel + 3] === 0) continue;
    visible++;
    weight[pixel] = 1;
    for (let c = 0; c < 3; c++) sums[3 * pixel + c] = data[4 * pixel + c]!;
  }
  if (visible === 0 || visible === count) return data;
  const filled = fill({ height, width, sums, weight });
  const result = new Uint8ClampedArray(data);
  for (let pixel = 0; pixel < count; pixel++) {
    if (data[4 * pixel + 3] !== 0) continue;
    for (let c = 0; c < 3; c++) result[4 * pixel + c] = filled[3 * pixel + c]!;
  }
  return result;
}

/** Colour everywhere. Every level has a visible pixel, so at 1 x 1 the weight is positive and this ends. */
function fill(level: Level): Float32Array {
  const { height, width, sums, weight } = level;
  const result = new Float32Array(sums.length);
  if (weight.every((value) => value > 0)) {
    for (let i = 0; i < result.length; i++) result[i] = sums[i]! / weight[Math.floor(i / 3)]!;
    return result;
  }
  const coarse = halve(level);
  const around = double(fill(coarse), coarse.height, coarse.width, height, width);
  for (let i = 0; i < result.length; i++)
    result[i] = sums[i]! + (1 - weight[Math.floor(i / 3)]!) * around[i]!;
  return result;
}

/** Sums of 2 x 2 pixels; what four pixels agree on counts as one: the weight saturates. */
function halve({ height, width, sums, weight }: Level): Level {
  const rows = Math.ceil(height / 2);
  const columns = Math.ceil(width / 2);
  const coarse = new Float32Array(3 * rows * columns);
  const known = new Float32Array(rows * columns);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const to = (y >> 1) * columns + (x >> 1);
      const from = y * width + x;
      known[to]! += weight[from]!;
      for (let c = 0; c < 3; c++) coarse[3 * to + c]! += sums[3 * from + c]!;
    }
  }
  for (let pixel = 0; pixel < known.length; pixel++) {
    const over = Math.max(known[pixel]!, 1);
    known[pixel]! /= over;
    for (let c = 0; c < 3; c++) coarse[3 * pixel + c]! /= over;
  }
  return { height: rows, width: columns, sums: coarse, weight: known };
}

/** Linear interpolation by 2 along both axes, cropped to height x width. */
function double(
  level: Float32Array,
  rows: number,
  columns: number,
  height: number,
  width: number,
): Float32Array {
  const tall = new Float32Array(3 * height * columns);
  for (let y = 0; y < height; y++) {
    const near = y >> 1;
    const far = Math.min(Math.max(near + (y % 2 ? 1 : -1), 0), rows - 1);
    for (let i = 0; i < 3 * columns; i++) {
      tall[3 * columns * y + i] =
        0.75 * level[3 * columns * near + i]! + 0.25 * level[3 * columns * far + i]!;
    }
  }
  const result = new Float32Array(3 * height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const near = x >> 1;
      const far = Math.min(Math.max(near + (x % 2 ? 1 : -1), 0), columns - 1);
      for (let c = 0; c < 3; c++) {
        const value = 0.75 * tall[3 * (columns * y + near) + c]! + 0.25 * tall[3 * (columns * y + far) + c]!;
        result[3 * (width * y + x) + c] = value;
      }
    }
  }
  return result;
}
