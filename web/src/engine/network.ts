/** A network that was loaded, whatever computes it: trunk and tail. */
import type { ColourSpace } from "../images/colour-space.js";
import type { Floats } from "../models/bytes.js";
import { NonFiniteError } from "../errors.js";
import type { ModelInfo } from "../models/manifest.js";
import type { Tile } from "../tiling/tiling.js";

/** Called between two steps with the share that is done; may wait, and may throw to end the work. */
export type Pause = (share: number) => Promise<void>;

/** What the trunk hands to the tail; only the network that made it can read it. */
export interface Features {
  /** In feature pixels. */
  readonly height: number;
  readonly width: number;
  dispose(): void;
}

/** An `ImageBitmap`, which the types of Node do not know. */
export interface Bitmap {
  readonly height: number;
  readonly width: number;
  close(): void;
}

/** A picture whose pixels the processor is not to touch. */
export interface Drawing {
  /** Stays the caller's. */
  readonly bitmap: Bitmap;
  readonly colorSpace: ColourSpace;
  /** Of a tile of the tail, as for `tailTiles`. */
  readonly tailSize: number;
  readonly pause: Pause;
}

/** Rows of the larger picture: `values` (1, height, width, channels), not clamped, from row `top` on. */
export interface Band {
  readonly top: number;
  readonly height: number;
  readonly values: Floats;
}

/** A network that a picture goes through by rows: of every map those are kept that are still needed. */
export interface ByRows {
  /** Bytes at its peak for height x width input pixels, the picture and the result apart. */
  bytes(height: number, width: number): number;
  /** How many bands the result comes in. */
  bands(height: number, width: number): number;
  /**
   * The result from its top, equal to the whole's to float rounding.
   *
   * @param read (1, rows, width, channels) in 0-1 of the picture from a row on; asked for each row once, from the top
   * @throws NonFiniteError
   */
  run(
    height: number,
    width: number,
    read: (top: number, rows: number) => Float32Array,
    pause: Pause,
  ): AsyncGenerator<Band>;
}

export interface Network {
  readonly info: ModelInfo;

  /** The same by rows, where that is possible. */
  readonly byRows?: ByRows | undefined;

  /**
   * Run the trunk. The caller disposes the result, before the next picture.
   *
   * @param values (1, height, width, channels) in 0-1
   */
  trunk(values: Float32Array, height: number, width: number, pause: Pause): Promise<Features>;

  /**
   * Run the tail on one of `tailTiles`' windows, or on all features.
   *
   * @param pause for tails that take long
   * @returns (1, height * s, width * s, channels), s = scale * unshuffle, not clamped
   * @throws NonFiniteError
   */
  tail(
    features: Features,
    top: number,
    left: number,
    height: number,
    width: number,
    pause?: Pause,
  ): Promise<Floats>;

  /**
   * The whole picture at once, by a network that computes where bitmaps are.
   *
   * @returns undefined: this one has to go by `trunk` and `tail`
   * @throws NonFiniteError
   */
  draw?(drawing: Drawing): Promise<Bitmap | undefined>;

  /**
   * How the tail is cut, in feature pixels.
   *
   * @param size side of a tile that fits in memory
   */
  tailTiles(height: number, width: number, size: number): Tile[];

  /** Bytes of the computation at its peak for height x width input pixels. */
  bytes(height: number, width: number, tailSize: number): number;

  dispose(): void;
}

export const NOT_FINITE =
  "the network's output contains NaN or infinity: its weights are damaged, or the device computes wrongly; try another backend";

/** @throws NonFiniteError */
export function checkFinite(values: Float32Array): void {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  if (!Number.isFinite(sum)) throw new NonFiniteError(NOT_FINITE);
}

/**
 * Trunk and tail on all of a picture at once.
 *
 * @param values (1, height, width, channels) in 0-1
 */
export async function computedWhole(
  network: Network,
  values: Float32Array,
  height: number,
  width: number,
): Promise<Floats> {
  const { unshuffle } = network.info;
  const features = await network.trunk(values, height, width, () => Promise.resolve());
  try {
    return await network.tail(features, 0, 0, height / unshuffle, width / unshuffle);
  } finally {
    features.dispose();
  }
}
