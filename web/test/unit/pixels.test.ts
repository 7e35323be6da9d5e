import { expect, test } from "vitest";
import { isFlat, padPlane, planeOf } from "../../src/images/pixels.js";
import { testPicture } from "../fixtures.js";

test("padding mirrors, and repeats what is too short to mirror", () => {
  const plane = { height: 1, width: 3, channels: 1, values: new Uint8ClampedArray([1, 2, 3]) };
  const padded = padPlane(plane, 4);
  expect([padded.height, padded.width]).toEqual([4, 4]);
  expect([...padded.values.subarray(0, 4)]).toEqual([1, 2, 3, 2]);
  expect([...padded.values.subarray(12)]).toEqual([1, 2, 3, 2]);
});

test("one colour is seen", () => {
  const picture = testPicture(4, 4);
  expect(isFlat(planeOf(picture, 0, 3))).toBe(false);
  expect(isFlat(planeOf(picture, 3, 1))).toBe(true);
});
