import { describe, expect, test } from "vitest";
import { crossFadedMosaic, fadeWeights, joinedMosaic } from "../../src/tiling/mosaic.js";
import { planTiles } from "../../src/tiling/tiling.js";

describe("mosaics", () => {
  const height = 30;
  const width = 26;
  const source = Float32Array.from({ length: height * width }, (_, i) => ((i * 37) % 256) / 255);
  const put = (mosaic: ReturnType<typeof joinedMosaic>, fade: number) => {
    for (const tile of planTiles(height, width, 10, fade)) {
      const { windowTop: top, windowLeft: left, windowHeight: h, windowWidth: w } = tile;
      const values = new Float32Array(h * w);
      for (let y = 0; y < h; y++)
        values.set(source.subarray((top + y) * width + left, (top + y) * width + left + w), y * w);
      mosaic.put(tile, { top, left, height: h, width: w }, values);
    }
    return mosaic.finish();
  };
  const expected = Uint8ClampedArray.from(source, (value) => value * 255);
  test("tiles of one picture give that picture", () => {
    expect(put(joinedMosaic(height, width, 1), 0)).toEqual(expected);
    expect(put(crossFadedMosaic(height, width, 1, 3), 3)).toEqual(expected);
  });
  test("weights of neighbours add up to 1", () => {
    const one = fadeWeights(0, 20, 0, 10, 20, 4);
    const other = fadeWeights(0, 20, 10, 20, 20, 4);
    one.forEach((weight, i) => expect(weight + other[i]!).toBeCloseTo(1, 6));
    expect(one[0]).toBe(1);
    expect(one[19]).toBe(0);
  });
  test("values are rounded, and clamped", () => {
    const mosaic = joinedMosaic(1, 4, 1);
    mosaic.put(
      { top: 0, left: 0, height: 1, width: 4 },
      { top: 0, left: 0, height: 1, width: 4 },
      new Float32Array([-1, 99.6 / 255, 99.4 / 255, 2]),
    );
    expect([...mosaic.finish()]).toEqual([0, 100, 99, 255]);
  });
});
