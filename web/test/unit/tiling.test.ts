import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { OptionError } from "../../src/errors.js";
import { planTiles } from "../../src/tiling/tiling.js";

interface Golden {
  plans: { given: Record<"height" | "width" | "size" | "overlap" | "multiple", number>; tiles: number[][] }[];
}

const golden = JSON.parse(
  readFileSync(new URL("../../../tests/golden/tile_plans.json", import.meta.url), "utf8"),
) as Golden;

test.each(golden.plans)("golden plan of $given", ({ given, tiles }) => {
  const plan = planTiles(given.height, given.width, given.size, given.overlap, given.multiple);
  expect(
    plan.map((t) => [
      t.top,
      t.left,
      t.height,
      t.width,
      t.windowTop,
      t.windowLeft,
      t.windowHeight,
      t.windowWidth,
    ]),
  ).toEqual(tiles);
});

test.each([
  [0, 5, 16, 0, 1],
  [5, 5, 1, 0, 2],
  [5, 4, 2, 0, 2],
  [4, 4, 2, -1, 2],
  [4.5, 4, 2, 0, 1],
])("refuses %d x %d, size %d, overlap %d, multiple %d", (height, width, size, overlap, multiple) => {
  expect(() => planTiles(height, width, size, overlap, multiple)).toThrow(OptionError);
});
