/** Which plan fits: arithmetic on sizes and bytes, the rules of `esrgan_torch/tiling/plan.py`. */
import { OptionError, OutOfMemoryError } from "../errors.js";
import type { ModelInfo } from "../models/manifest.js";
import { planStrips, planTiles, type Tile } from "./tiling.js";

/**
 * How a picture may be cut to fit in memory.
 *
 * - "auto": exact if memory allows, else overlapping tiles; the result's `exact` says which;
 * - "exact": equal to the result of the whole picture computed at once, or an OutOfMemoryError;
 * - { size, overlap }: overlapping tiles, in input pixels. The default of `overlap` was measured for each network.
 */
export type Tiling = "auto" | "exact" | { readonly size: number; readonly overlap?: number };

export interface Plan {
  /** Tiles of the whole network in input pixels; a single one is the whole picture. By rows they are strips of columns. */
  readonly windows: readonly Tile[];
  /** Height and width of the tail's tiles in feature pixels. */
  readonly tailSize: number;
  /** Input pixels that a window reaches beyond its core. */
  readonly overlap: number;
  /** Input pixels on either side of a seam over which two windows are mixed. */
  readonly fade: number;
  /** Whether the result equals the untiled one to float rounding. */
  readonly exact: boolean;
  /** Whether rows go through the trunk as they come. */
  readonly byRows: boolean;
  /** Bytes of the computation at its peak. */
  readonly memory: number;
  /** Why this plan, for people. */
  readonly reason: string;
}

const WINDOW_SIZES = [4096, 3072, 2048, 1536, 1024, 768, 512, 384, 256, 192, 128, 96, 64, 48, 32];
const CHEAP_CONTEXT = 1 / 8; // of a tile's size on every side: 1.6 times the work for an exact result unasked
const LARGEST_CONTEXT = 1; // and 9 times the work where exactness is asked for
const FEW_TWICE = 0.1; // of the pixels computed twice: strips whose edges count little
const MANY_TWICE = 1; // twice the work for an exact result unasked
const MOST_TWICE = 4; // and where exactness is asked for
const FADE = 8; // part of the overlap that is mixed: more mixes in what has less context, docs/tiling.md
const WITHOUT_CONVOLUTIONS = 4; // times as large may the tiles of such a tail be: cutting them takes longer than they do
export const MINIMUM_SIZE = 16;

/**
 * @param height, width of the picture in input pixels, multiples of `unshuffle`
 * @param budget bytes that the computation may take
 * @param bytesOf the computation of height x width input pixels, its tail in tiles of a size
 * @param rowBytesOf the same by rows; undefined where nothing computes so
 * @throws OptionError a tiling that cannot be
 * @throws OutOfMemoryError nothing that the tiling allows fits
 */
export function makePlan(
  info: ModelInfo,
  height: number,
  width: number,
  tiling: Tiling,
  budget: number,
  bytesOf: (height: number, width: number, tailSize: number) => number,
  rowBytesOf?: (height: number, width: number) => number,
): Plan {
  const fold = info.unshuffle;
  const recommended = info.tile * (info.tailHalo === 0 ? WITHOUT_CONVOLUTIONS : 1);
  const tailSize = Math.max(Math.floor(recommended / fold), MINIMUM_SIZE);
  const bytes = (rows: number, columns: number) => bytesOf(rows, columns, tailSize);
  const windowBytes = (size: number, overlap: number) =>
    bytes(Math.min(height, size + 2 * overlap), Math.min(width, size + 2 * overlap));
  const windows = (size: number, overlap: number, memory: number, reason: string): Plan => {
    const tiles = planTiles(height, width, size, overlap, fold);
    const exact = tiles.length === 1 || overlap >= info.receptiveField;
    const fade = Math.floor(Math.min(Math.floor(overlap / FADE), Math.floor(size / 4)) / fold) * fold;
    return {
      windows: tiles,
      tailSize,
      overlap,
      fade: exact ? 0 : fade,
      exact,
      byRows: false,
      memory,
      reason,
    };
  };
  if (typeof tiling === "object") {
    const overlap = tiling.overlap ?? info.overlap;
    checkSizes(tiling.size, overlap);
    const size = Math.floor(tiling.size / fold) * fold;
    return windows(size, overlap, windowBytes(size, overlap), "as requested");
  }
  if (!["auto", "exact"].includes(tiling)) {
    throw new OptionError(`tile must be "auto", "exact" or { size, overlap }, not ${JSON.stringify(tiling)}`);
  }
  const needed = bytes(height, width);
  if (needed <= budget) {
    const reason = "trunk whole, tail in tiles";
    return { ...windows(Math.max(height, width), info.overlap, needed, reason), exact: true };
  }
  const rowBytes = rowBytesOf && remembered(rowBytesOf);
  const strips = (mostTwice: number) =>
    rowBytes && byRows(info, height, width, budget, rowBytes, tailSize, mostTwice);
  const exactWindows = (largestContext: number) => {
    for (const size of WINDOW_SIZES) {
      if (info.receptiveField > largestContext * size) return undefined;
      const memory = windowBytes(size, info.receptiveField);
      if (memory <= budget)
        return windows(size, info.receptiveField, memory, "the overlap is the receptive field");
    }
    return undefined;
  };
  const asked = tiling === "exact";
  const exact =
    strips(FEW_TWICE) ??
    exactWindows(CHEAP_CONTEXT) ??
    strips(asked ? MOST_TWICE : MANY_TWICE) ??
    (asked ? exactWindows(LARGEST_CONTEXT) : undefined);
  if (exact) return exact;
  const rows = rowBytes ? `, or ${mib(rowBytes(height, width))} by rows` : "";
  const facts = `${width}x${height} pixels need ${mib(needed)}${rows}, but ${mib(budget)} are allowed`;
  if (asked) {
    const advice = 'raise `memory`, use a smaller picture, or set tile to "auto" for overlapping tiles';
    throw new OutOfMemoryError(`${facts}; ${advice}`);
  }
  for (const size of WINDOW_SIZES) {
    const memory = windowBytes(size, info.overlap);
    if (memory <= budget) return windows(size, info.overlap, memory, facts);
  }
  throw new OutOfMemoryError(
    `${facts}, and even tiles of ${WINDOW_SIZES.at(-1)} pixels need more; raise \`memory\``,
  );
}

/** For RRDB-23 and 10,000 columns a plan takes a second. */
function remembered(bytesOf: (height: number, width: number) => number): typeof bytesOf {
  const known = new Map<number, number>();
  return (height, width) => {
    const bytes = known.get(width) ?? bytesOf(height, width);
    known.set(width, bytes);
    return bytes;
  };
}

/** As few strips by rows as fit, of which no more than a share of the picture is computed twice. */
function byRows(
  info: ModelInfo,
  height: number,
  width: number,
  budget: number,
  bytesOf: (height: number, width: number) => number,
  tailSize: number,
  mostTwice: number,
): Plan | undefined {
  for (let count = 1; ;) {
    const strips = planStrips(height, width, count, info.receptiveField, info.unshuffle);
    const computed = strips.reduce((sum, strip) => sum + strip.windowWidth, 0);
    if (computed > (1 + mostTwice) * width || count > width) return undefined;
    const memory = bytesOf(height, Math.max(...strips.map(({ windowWidth }) => windowWidth)));
    if (memory <= budget) {
      const twice = count > 1 ? `, ${Math.round((computed / width - 1) * 100)}% of it twice` : "";
      const overlap = count > 1 ? info.receptiveField : 0;
      const reason = `trunk by rows${twice}, tail in bands`;
      return { windows: strips, tailSize, overlap, fade: 0, exact: true, byRows: true, memory, reason };
    }
    // memory goes with the width
    count = Math.max(count + 1, Math.min(Math.floor((count * memory) / budget), 2 * count));
  }
}

/** For people. */
export function describePlan({ windows, overlap, exact, byRows, memory, reason }: Plan): string {
  const size = Math.max(...windows.map((tile) => Math.max(tile.height, tile.width)));
  const one = windows.length === 1 ? "whole picture" : undefined;
  const cut = byRows
    ? `${one ?? `${windows.length} strips of columns`} by rows`
    : (one ?? `${windows.length} tiles of ${size} pixels, overlap ${overlap}`);
  return `${cut}, ${exact ? "exact" : "not exact"}, about ${mib(memory)} (${reason})`;
}

function checkSizes(size: number, overlap: number): void {
  if (!Number.isInteger(size) || size < MINIMUM_SIZE) {
    throw new OptionError(
      `the size of a tile must be a whole number of at least ${MINIMUM_SIZE} pixels, not ${size}`,
    );
  }
  if (!Number.isInteger(overlap) || overlap < 0) {
    throw new OptionError(`the overlap must be a whole number of at least 0 input pixels, not ${overlap}`);
  }
}

/**
 * Bytes of a computation by TF.js at its peak for height x width input pixels.
 *
 * @param im2col whether the backend unrolls convolutions into a matrix, as TF.js does on webgl
 */
export function graphBytes(
  info: ModelInfo,
  height: number,
  width: number,
  tailSize: number,
  im2col: boolean,
): number {
  const side = Math.min(tailSize, Math.max(height, width) / info.unshuffle);
  return trunkBytes(info, height, width, im2col) + tailBytes(info, side, im2col);
}

/** Bytes of the trunk at its peak for height x width input pixels. */
function trunkBytes(info: ModelInfo, height: number, width: number, im2col: boolean): number {
  const features = info.sizes["features"] ?? 64;
  const growth = info.sizes["growth"] ?? 0;
  const planes =
    {
      // three streams, the last two concatenations of a dense block and what is joined to them
      RRDBNet: 5 * features + 8 * growth,
      // the four maps that are joined, once more joined, and what is made of them
      SPAN: 9 * features + 2 * info.outChannels * info.scale ** 2,
    }[info.architecture] ?? 2 * features + 2 * info.outChannels * info.scale ** 2;
  const unrolled = im2col ? 9 * (features + 4 * growth) : 0;
  return (4 * (planes + unrolled) * height * width) / info.unshuffle ** 2;
}

/** Bytes of the tail at its peak for a tile of size x size feature pixels. */
function tailBytes(info: ModelInfo, size: number, im2col: boolean): number {
  const features = info.sizes["features"] ?? 64;
  const values = info.architecture === "RRDBNet" ? (3 + (im2col ? 9 : 0)) * features : 2 * info.outChannels;
  return 4 * values * (info.scale * info.unshuffle * (size + 2 * info.tailHalo)) ** 2;
}

function mib(count: number): string {
  return `${Math.ceil(count / 2 ** 20).toLocaleString("en")} MiB`;
}
