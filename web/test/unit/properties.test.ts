/**
 * What holds for pictures of any size from 1x1 to 97x97: cutting, padding, joining, resizing, planning.
 */
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { OutOfMemoryError } from "../../src/errors.js";
import { padPlane, type Plane } from "../../src/images/pixels.js";
import { imresize } from "../../src/images/resample.js";
import { targetSize } from "../../src/images/target-size.js";
import { parseManifest } from "../../src/models/manifest.js";
import { crossFadedMosaic, joinedMosaic } from "../../src/tiling/mosaic.js";
import { graphBytes, makePlan, MINIMUM_SIZE, type Plan, type Tiling } from "../../src/tiling/plan.js";
import { planTiles, type Tile } from "../../src/tiling/tiling.js";
import { folderOf, worst } from "../fixtures.js";
import { channelCount, runs, side } from "./arbitrary.js";

const { info } = parseManifest(readFileSync(`${folderOf("rrdb-x4")}/model.json`, "utf8"), "the fixture");

const multiple = fc.constantFrom(1, 2, 4);
const plane: fc.Arbitrary<Plane> = fc
  .record({ height: side, width: side, channels: channelCount, seed: fc.nat() })
  .map(({ seed, ...size }) => ({ ...size, values: noise(size.height * size.width * size.channels, seed) }));

/** Bytes that look like chance, the same for the same seed. */
function noise(count: number, seed: number): Uint8ClampedArray<ArrayBuffer> {
  let state = seed | 1;
  return Uint8ClampedArray.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >>> 24;
  });
}

/** How often each pixel lies in a core. */
function covered(tiles: readonly Tile[], height: number, width: number): Set<number> {
  const times = new Uint16Array(height * width);
  for (const { top, left, height: rows, width: columns } of tiles)
    for (let y = top; y < top + rows; y++)
      for (let x = left; x < left + columns; x++) times[y * width + x]!++;
  return new Set(times);
}

test("tiles cover each pixel once, see as far as they should, and no further than the picture", () => {
  fc.assert(
    fc.property(
      fc.record({ rows: side, columns: side, multiple, units: side, overlap: fc.nat(60) }),
      ({ rows, columns, multiple, units, overlap }) => {
        const [height, width, size] = [rows * multiple, columns * multiple, units * multiple];
        const tiles = planTiles(height, width, size, overlap, multiple);
        expect(covered(tiles, height, width)).toEqual(new Set([1]));
        const wrong = tiles.filter((tile) => {
          const { windowTop, windowLeft, windowHeight, windowWidth } = tile;
          const sees = (from: number, core: number, window: number, seen: number, whole: number) =>
            window >= 0 &&
            window + seen <= whole &&
            window <= Math.max(from - overlap, 0) &&
            window + seen >= Math.min(from + core + overlap, whole);
          return !(
            Object.values(tile).every((edge: number) => edge % multiple === 0) &&
            Math.max(tile.height, tile.width) <= size &&
            sees(tile.top, tile.height, windowTop, windowHeight, height) &&
            sees(tile.left, tile.width, windowLeft, windowWidth, width)
          );
        });
        expect(wrong).toEqual([]);
      },
    ),
    runs(),
  );
});

test("a picture in tiles, joined or cross-faded, is the picture", () => {
  fc.assert(
    fc.property(plane, fc.integer({ min: 1, max: 40 }), fc.nat(6), (given, size, fade) => {
      const { height, width, channels, values } = given;
      // a seam fades within the tiles beside it, as plans have it
      const reach = Math.min(fade, Math.floor(size / 4));
      const mosaic = reach
        ? crossFadedMosaic(height, width, channels, reach)
        : joinedMosaic(height, width, channels);
      for (const tile of planTiles(height, width, size, reach)) {
        const { windowTop: top, windowLeft: left, windowHeight, windowWidth } = tile;
        const part = new Float32Array(windowHeight * windowWidth * channels);
        for (let y = 0; y < windowHeight; y++)
          for (let at = 0; at < windowWidth * channels; at++)
            part[y * windowWidth * channels + at] = values[((top + y) * width + left) * channels + at]! / 255;
        mosaic.put(tile, { top, left, height: windowHeight, width: windowWidth }, part);
      }
      expect(worst(mosaic.finish(), values)).toBe(0);
    }),
    runs(),
  );
});

test("padding keeps what is there, and adds nothing that is not", () => {
  fc.assert(
    fc.property(plane, multiple, (given, multiple) => {
      const padded = padPlane(given, multiple);
      expect([padded.height % multiple, padded.width % multiple]).toEqual([0, 0]);
      expect(padded.height - given.height).toBeLessThan(multiple);
      expect(padded.width - given.width).toBeLessThan(multiple);
      const part = Array.from({ length: given.height }, (_, y) => {
        const [row, from] = [given.width * given.channels, y * padded.width * given.channels];
        return [...padded.values.subarray(from, from + row)];
      });
      expect(worst(part.flat(), given.values)).toBe(0);
      const known = new Set(given.values);
      expect(padded.values.every((value) => known.has(value))).toBe(true);
    }),
    runs(),
  );
});

describe("resizing", () => {
  test("gives the size asked for; one colour stays that colour", () => {
    fc.assert(
      fc.property(plane, side, side, fc.nat(255), (given, height, width, value) => {
        const resized = imresize(given, height, width);
        expect(resized).toMatchObject({ height, width, channels: given.channels });
        expect(resized.values).toHaveLength(height * width * given.channels);
        const flat = { ...given, values: given.values.slice().fill(value) };
        expect(new Set(imresize(flat, height, width).values)).toEqual(new Set([value]));
      }),
      runs(),
    );
  });

  test("a mirrored picture gives the mirrored result", () => {
    fc.assert(
      fc.property(plane, side, side, (given, height, width) => {
        const mirrored = (one: Plane): Plane => {
          const { channels, width: columns, height: rows, values } = one;
          const turned = new Uint8ClampedArray(values.length);
          for (let y = 0; y < rows; y++)
            for (let x = 0; x < columns; x++)
              for (let c = 0; c < channels; c++)
                turned[(y * columns + columns - 1 - x) * channels + c] =
                  values[(y * columns + x) * channels + c]!;
          return { ...one, values: turned };
        };
        const there = mirrored(imresize(given, height, width));
        // sums are in another order: a half may be rounded to the other side, once an axis
        expect(worst(imresize(mirrored(given), height, width).values, there.values)).toBeLessThanOrEqual(2);
      }),
      runs(),
    );
  });

  test("a size is at least one pixel, keeps its proportions, and fits into the box", () => {
    fc.assert(
      fc.property(side, side, side, side, (height, width, maxHeight, maxWidth) => {
        fc.pre(Math.min(maxHeight / height, maxWidth / width) <= 32);
        const size = targetSize({ height, width }, 4, { height: maxHeight, width: maxWidth });
        expect(size.height === maxHeight || size.width === maxWidth).toBe(true);
        expect(size.height).toBeLessThanOrEqual(maxHeight);
        expect(size.width).toBeLessThanOrEqual(maxWidth);
        expect(Math.min(size.height, size.width)).toBeGreaterThanOrEqual(1);
        const factor = Math.min(maxHeight / height, maxWidth / width);
        expect(Math.abs(Math.max(height * factor, 1) - size.height)).toBeLessThanOrEqual(0.5);
        expect(Math.abs(Math.max(width * factor, 1) - size.width)).toBeLessThanOrEqual(0.5);
      }),
      runs(),
    );
  });
});

describe("plans", () => {
  const tiling: fc.Arbitrary<Tiling> = fc.oneof(
    fc.constant("auto" as const),
    fc.record({ size: fc.integer({ min: MINIMUM_SIZE, max: 97 }), overlap: fc.nat(40) }),
  );

  test("cover the picture once, keep to the budget, and are exact only where each tile sees enough", () => {
    fc.assert(
      fc.property(
        fc.record({
          rows: side,
          columns: side,
          fold: multiple,
          tiling,
          megabytes: fc.double({ min: 0.5, max: 8, noNaN: true }),
        }),
        ({ rows, columns, fold, tiling, megabytes }) => {
          const [height, width] = [rows * fold, columns * fold];
          const network = { ...info, unshuffle: fold, receptiveField: 40, overlap: 8 };
          const budget = megabytes * 2 ** 20;
          const bytes = (...size: [number, number, number]) => graphBytes(network, ...size, false);
          let plan: Plan;
          try {
            plan = makePlan(network, height, width, tiling, budget, bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(OutOfMemoryError);
            expect(tiling).toBe("auto");
            expect(bytes(height, width, MINIMUM_SIZE)).toBeGreaterThan(budget / 4);
            return;
          }
          expect(covered(plan.windows, height, width)).toEqual(new Set([1]));
          const seesEnough = plan.windows.length === 1 || plan.overlap >= network.receptiveField;
          expect(plan.exact).toBe(seesEnough);
          if (plan.exact) expect(plan.fade).toBe(0);
          for (const { top, left, windowTop, windowLeft } of plan.windows) {
            // what is mixed was computed by both
            if (top > 0) expect(top - windowTop).toBeGreaterThanOrEqual(plan.fade);
            if (left > 0) expect(left - windowLeft).toBeGreaterThanOrEqual(plan.fade);
          }
          if (tiling === "auto")
            for (const { windowHeight, windowWidth } of plan.windows)
              expect(bytes(windowHeight, windowWidth, plan.tailSize)).toBeLessThanOrEqual(budget);
        },
      ),
      runs(),
    );
  });
});
