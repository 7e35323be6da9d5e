/**
 * How a picture is cut: integers only, the same rule as `esrgan_torch/tiling/modes.py`.
 * `tests/golden/tile_plans.json` drives the tests of both.
 */
import { OptionError } from "../errors.js";

/** The core at (top, left), which the tile answers for, and the window around it, which is read. */
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
 * Cut height x width pixels, row by row from the top left. Tiles are as equal as multiples allow;
 * cores cover the picture exactly once, windows end at its border.
 *
 * @param size largest height and width of a core
 * @param overlap how far a window reaches beyond its core, where the picture goes on
 * @param multiple every edge is a multiple of it
 * @throws OptionError sizes that cannot be cut so
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
      `sizes of tiles are whole numbers, given ${[height, width, size, overlap].join(", ")}`,
    );
  }
  if (height < 1 || width < 1 || size < multiple || overlap < 0) {
    throw new OptionError(
      `cannot cut ${height}x${width} pixels into tiles of ${size} with overlap ${overlap}`,
    );
  }
  if (height % multiple || width % multiple) {
    throw new OptionError(`${height}x${width} pixels are not a multiple of ${multiple}`);
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
