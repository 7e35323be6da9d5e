/** How large a result shall be: the rules of `esrgan upscale`'s --scale, --width, --height and --fit. */
import { OptionError } from "../errors.js";
import type { Settings } from "../options.js";

export interface Size {
  readonly height: number;
  readonly width: number;
}

const LARGEST_SCALE = 32;
const LARGEST_SIDE = 1_000_000;

/**
 * @param own the network's scale
 * @throws OptionError sizes that cannot be
 */
export function targetSize(given: Size, own: number, { scale, width, height }: Settings): Size {
  if (scale !== undefined && (width !== undefined || height !== undefined)) {
    throw new OptionError("scale cannot be combined with width or height; give only one of them");
  }
  for (const side of [width, height]) {
    if (side !== undefined && (!Number.isInteger(side) || side < 1 || side > LARGEST_SIDE))
      throw new OptionError(
        `width and height must be whole numbers from 1 to ${LARGEST_SIDE}, not ${String(side)}`,
      );
  }
  if (scale !== undefined && !(scale > 0 && scale <= LARGEST_SCALE)) {
    throw new OptionError(`scale must be above 0 and at most ${LARGEST_SCALE}, not ${String(scale)}`);
  }
  const wishes = [width && width / given.width, height && height / given.height].filter(
    (wish) => wish !== undefined,
  );
  const factor = wishes.length ? Math.min(...wishes) : (scale ?? own);
  if (factor > LARGEST_SCALE) {
    throw new OptionError(
      `${given.width}x${given.height} pixels would become ${Math.round(factor)} times as wide and high, and the limit is ` +
        `${LARGEST_SCALE} times; choose a smaller width or height`,
    );
  }
  return timesAsLarge(given, factor);
}

/** So many times as large, in whole pixels, at least one. */
export function timesAsLarge({ height, width }: Size, factor: number): Size {
  return { height: Math.max(roundEven(height * factor), 1), width: Math.max(roundEven(width * factor), 1) };
}

/** To the nearest whole number, halves to the even one, as Python does. */
function roundEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 ? below + 1 : below;
}
