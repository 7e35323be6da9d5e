/** Float tiles into 8-bit planes, joined plainly or cross-faded: the same as `esrgan_torch/tiling/mosaic.py`. */
import type { ClampedBytes } from "../models/bytes.js";

/** A rectangle in output pixels. */
export interface Area {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

export interface Mosaic {
  /**
   * Put values (height, width, channels) in 0-1; tiles come row by row.
   *
   * @param core of the tile that they are a part of
   */
  put(core: Area, area: Area, values: Float32Array): void;
  /** The picture, when every tile has been put. */
  finish(): ClampedBytes;
}

/** Every pixel comes from one tile. Uint8ClampedArray rounds to nearest, ties to even, as PyTorch does. */
export function joinedMosaic(height: number, width: number, channels: number): Mosaic {
  const result = new Uint8ClampedArray(height * width * channels);
  return {
    put(_core, area, values) {
      const row = area.width * channels;
      for (let y = 0; y < area.height; y++) {
        let to = ((area.top + y) * width + area.left) * channels;
        for (let from = y * row; from < (y + 1) * row; from++) result[to++] = values[from]! * 255;
      }
    },
    finish: () => result,
  };
}

/** Tiles are mixed over `fade` pixels on either side of their seams; one row of tiles is held as float. */
export function crossFadedMosaic(height: number, width: number, channels: number, fade: number): Mosaic {
  const result = new Uint8ClampedArray(height * width * channels);
  let strip = new Float32Array(0);
  let stripTop = 0;
  let row: Area | undefined;

  const flush = (end: number) => {
    const from = stripTop * width * channels;
    for (let i = 0; i < (end - stripTop) * width * channels; i++) result[from + i] = strip[i]! * 255;
  };
  const beginRow = (core: Area) => {
    const top = Math.max(core.top - fade, 0);
    flush(top);
    const next = new Float32Array((Math.min(core.top + core.height + fade, height) - top) * width * channels);
    next.set(strip.subarray((top - stripTop) * width * channels));
    strip = next;
    stripTop = top;
    row = core;
  };
  return {
    put(core, area, values) {
      if (row?.top !== core.top) beginRow(core);
      const down = fadeWeights(area.top, area.height, core.top, core.top + core.height, height, fade);
      const across = fadeWeights(area.left, area.width, core.left, core.left + core.width, width, fade);
      let from = 0;
      for (let y = 0; y < area.height; y++) {
        let to = ((area.top - stripTop + y) * width + area.left) * channels;
        for (let x = 0; x < area.width; x++) {
          const weight = down[y]! * across[x]!;
          for (let c = 0; c < channels; c++) strip[to++]! += weight * values[from++]!;
        }
      }
    },
    finish() {
      flush(height);
      return result;
    },
  };
}

/**
 * Weights of a tile with core [start, end) at `count` positions from `first`, of `total` pixels: a half-sine
 * ramp over `fade` pixels on either side of a seam, 1 towards the border; neighbours add up to 1.
 */
export function fadeWeights(
  first: number,
  count: number,
  start: number,
  end: number,
  total: number,
  fade: number,
): Float32Array {
  const ramp = (distance: number) =>
    0.5 + 0.5 * Math.sin((Math.PI / 2) * Math.min(Math.max(distance / fade, -1), 1));
  return Float32Array.from({ length: count }, (_, index) => {
    const centre = first + index + 0.5;
    let weight = 1;
    if (fade && start > 0) weight *= ramp(centre - start);
    if (fade && end < total) weight *= ramp(end - centre);
    return weight;
  });
}
