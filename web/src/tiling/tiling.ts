/**
 * How a picture is cut: integers only, the same rule as `esrgan_torch/tiling/modes.py`.
 * `tests/golden/tile_plans.json` drives the tests of both.
 */
import { OptionError } from "../errors.js";

/** A tile: its core at (top, left), whose pixels end up in the result, and the window around it, which is read. */
export interface Tile {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
  readonly windowTop: number;
  readonly windowLeft: number;
  readonly windowHeight: number;
  readonly windowWidth: number;
}

/**
 * Cut a picture of height x width pixels into tiles, row by row from the top left. The tiles are as equal in size as
 * `multiple` allows. Their cores cover each pixel once; their windows end at the picture's border.
 *
 * @param size largest height and width of a core
 * @param overlap how far a window reaches beyond its core on each side, up to the picture's border
 * @param multiple every edge is a multiple of it
 * @throws OptionError these sizes cannot be used
 */
export function planTiles(
  height: number,
  width: number,
  size: number,
  overlap: number,
  multiple = 1,
): Tile[] {
  if (![height, width, size, overlap, multiple].every(Number.isInteger)) {
    throw new OptionError(
      `height, width, size, overlap and multiple must be whole numbers, not ${[height, width, size, overlap, multiple].join(", ")}`,
    );
  }
  if (height < 1 || width < 1 || size < multiple || overlap < 0) {
    throw new OptionError(
      `${width}x${height} pixels cannot be cut into tiles of ${size} pixels with overlap ${overlap}; ` +
        `height and width must be at least 1, size at least ${multiple}, overlap at least 0`,
    );
  }
  if (height % multiple || width % multiple) {
    throw new OptionError(`height and width must be multiples of ${multiple}, not ${height} and ${width}`);
  }
  const reach = Math.ceil(overlap / multiple) * multiple;
  const columns = cut(width, size, multiple);
  return cut(height, size, multiple).flatMap(([top, bottom]) =>
    columns.map(([left, right]) => makeTile(top, left, bottom - top, right - left, height, width, reach)),
  );
}

/** As `planTiles`, in so many strips of columns, or fewer, as high as the picture. */
export function planStrips(
  height: number,
  width: number,
  count: number,
  overlap: number,
  multiple: number,
): Tile[] {
  const size = Math.ceil(Math.ceil(width / count) / multiple) * multiple;
  const reach = Math.ceil(overlap / multiple) * multiple;
  return cut(width, size, multiple).map(([left, right]) =>
    makeTile(0, left, height, right - left, height, width, reach),
  );
}

/**
 * As `planTiles`, of whole rows: bands of about `size` rows, whose windows all begin at a multiple of `multiple`.
 */
export function planBands(
  height: number,
  width: number,
  size: number,
  overlap: number,
  multiple: number,
): Tile[] {
  const up = (rows: number) => Math.ceil(rows / multiple) * multiple;
  const rows = up(height / Math.ceil(height / size));
  return Array.from({ length: Math.ceil(height / rows) }, (_, band) => {
    const top = band * rows;
    return makeTile(top, 0, Math.min(rows, height - top), width, height, width, up(overlap));
  });
}

/** The tile with this core, its window cut off at the border of totalHeight x totalWidth pixels. */
export function makeTile(
  top: number,
  left: number,
  height: number,
  width: number,
  totalHeight: number,
  totalWidth: number,
  overlap: number,
): Tile {
  const windowTop = Math.max(top - overlap, 0);
  const windowLeft = Math.max(left - overlap, 0);
  const windowHeight = Math.min(top + height + overlap, totalHeight) - windowTop;
  const windowWidth = Math.min(left + width + overlap, totalWidth) - windowLeft;
  return { top, left, height, width, windowTop, windowLeft, windowHeight, windowWidth };
}

/** Fewest parts of at most `size`: [start, end] of each. */
function cut(length: number, size: number, multiple: number): [number, number][] {
  const units = length / multiple;
  const parts = Math.ceil(units / Math.floor(size / multiple));
  const edge = (part: number) => Math.floor((units * part) / parts) * multiple;
  return Array.from({ length: parts }, (_, part) => [edge(part), edge(part + 1)]);
}
