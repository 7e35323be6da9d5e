import { expect, test } from "vitest";
import { bleed } from "../../src/images/alpha.js";
import { keepUniform } from "../../src/images/uniform-alpha.js";
import { testPicture } from "../fixtures.js";

test("colour flows under transparent pixels, and nowhere else", () => {
  const { data } = testPicture(7, 5);
  const given = data.slice();
  for (let pixel = 0; pixel < 12; pixel++) given.fill(0, 4 * pixel, 4 * pixel + 4);
  const result = bleed(given, 5, 7);
  expect(result[0]).toBeGreaterThan(0);
  expect(result.subarray(48)).toEqual(given.subarray(48));
  expect(bleed(data, 5, 7)).toBe(data);
});

test("alpha stays clear and opaque where it is so all around, and is the network's next to an edge", () => {
  const values = Uint8ClampedArray.from({ length: 18 }, (_, at) => (at % 6 < 3 ? 0 : 255));
  const large = { height: 6, width: 12, channels: 1, values: new Uint8ClampedArray(72).fill(100) };
  keepUniform(large, { height: 3, width: 6, channels: 1, values });
  const row = [...large.values.subarray(12, 24)];
  expect(row.slice(0, 4)).toEqual([0, 0, 0, 0]);
  expect(row.slice(8)).toEqual([255, 255, 255, 255]);
  // a quarter of a pixel from the edge the network's value counts in full, three quarters away a part of it
  expect(row.slice(5, 7)).toEqual([100, 100]);
  expect(row[4]).toBeGreaterThan(0);
  expect(row[4]).toBeLessThan(100);
});
