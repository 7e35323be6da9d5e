/** A strip of a picture by rows: pixels in, pixels out, as they come. */
import type { Network, Pause } from "../engine/network.js";
import { toGray, toInput, type Plane } from "../images/pixels.js";
import type { Area } from "./mosaic.js";
import type { Tile } from "./tiling.js";

/** Rows of the larger strip: `values` (height, width, channels) in 0-1 lie at `area` of the result. */
export interface Piece {
  readonly area: Area;
  readonly values: Float32Array;
  readonly channels: number;
}

/** @param strip columns of the plane, as high as it */
export async function* enlargeStrip(
  plane: Plane,
  strip: Tile,
  network: Network,
  pause: Pause,
): AsyncGenerator<Piece> {
  const { scale, inChannels, outChannels } = network.info;
  const { windowLeft, windowHeight, windowWidth } = strip;
  const { channels } = plane;
  const read = (top: number, rows: number) => toInput(plane, top, windowLeft, rows, windowWidth, inChannels);
  const left = (strip.left - windowLeft) * scale;
  const width = strip.width * scale;
  const bands = network.byRows!.run(windowHeight, windowWidth, read, pause);
  for await (const { top, height, values: large } of bands) {
    const given = channels < outChannels ? toGray(large) : large;
    const area = { top, left: strip.left * scale, height, width };
    yield { area, values: columnsOf(given, windowWidth * scale, left, width, channels), channels };
  }
}

/** Of rows of `whole` pixels the `width` from `left` on. */
function columnsOf(
  values: Float32Array,
  whole: number,
  left: number,
  width: number,
  channels: number,
): Float32Array {
  if (width === whole) return values;
  const height = values.length / (whole * channels);
  const cut = new Float32Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    const from = (y * whole + left) * channels;
    cut.set(values.subarray(from, from + width * channels), y * width * channels);
  }
  return cut;
}
