import { expect, test } from "vitest";
import { OptionError } from "../../src/errors.js";
import { imresize } from "../../src/images/resample.js";
import { targetSize } from "../../src/images/target-size.js";

test("sizes follow the rules of the Python library", () => {
  const of = (settings: Parameters<typeof targetSize>[2]) =>
    targetSize({ height: 10, width: 15 }, 4, settings);
  expect(of({})).toEqual({ height: 40, width: 60 });
  expect(of({ scale: 0.1 })).toEqual({ height: 1, width: 2 });
  expect(of({ scale: 2.5 })).toEqual({ height: 25, width: 38 }); // 37.5 to the even one
  expect(of({ width: 30 })).toEqual({ height: 20, width: 30 });
  expect(of({ width: 30, height: 10 })).toEqual({ height: 10, width: 15 });
  for (const wrong of [
    { scale: 0 },
    { scale: NaN },
    { scale: 33 },
    { width: 0 },
    { width: 1.5 },
    { height: 330 },
  ])
    expect(() => of(wrong), JSON.stringify(wrong)).toThrow(OptionError);
});

test("bicubic enlargement keeps what is even, and its overshoot within the range", () => {
  const values = new Uint8ClampedArray(6).fill(77);
  const even = imresize({ height: 3, width: 2, channels: 1, values }, 12, 8);
  expect(new Set(even.values)).toEqual(new Set([77]));
  expect(even).toMatchObject({ height: 12, width: 8 });
  const edge = imresize(
    { height: 1, width: 4, channels: 1, values: new Uint8ClampedArray([0, 0, 255, 255]) },
    2,
    8,
  );
  expect([...edge.values.subarray(0, 8)]).toEqual([0, 0, 0, 52, 203, 255, 255, 255]);
});
