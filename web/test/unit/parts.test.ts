/** How a step is cut: everything once, and nothing larger than what a GPU is given at once. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Pace } from "../../src/engine/webgpu/pace.js";
import { Parts } from "../../src/engine/webgpu/parts.js";

const side = fc.integer({ min: 1, max: 90 });
const thread = fc.integer({ min: 1, max: 9 });

test("parts cover a grid once, and are as large as a GPU is given at once, or one workgroup", () => {
  fc.assert(
    fc.property(
      side,
      side,
      thread,
      thread,
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 5 }),
      (height, width, rows, columns, work, given) => {
        const parts = new Parts(height, width, { rows, columns, work });
        const seen = new Uint8Array(height * width);
        for (let n = 0; !parts.done; n++) {
          const most = given[n % given.length]!; // it changes with what was measured
          const fits = parts.fits(most);
          const part = parts.take(most);
          const size = part.rows * part.columns * work;
          const isOne = part.rows <= rows && part.columns <= columns;
          expect(isOne || size <= most).toBe(true);
          if (fits) expect(part.left + part.columns).toBe(width);
          // workgroups of two parts are not the same ones
          expect(part.top % rows || part.left % columns).toBe(0);
          for (let y = part.top; y < part.top + part.rows; y++)
            for (let x = part.left; x < part.left + part.columns; x++) seen[y * width + x]!++;
        }
        expect(seen.every((count) => count === 1)).toBe(true);
      },
    ),
  );
});

test("a row of workgroups that is too much is cut by columns", () => {
  const parts = new Parts(8, 100, { rows: 4, columns: 8, work: 10 });
  const taken = [];
  while (!parts.done) taken.push(parts.take(10 * 4 * 50));
  expect(taken).toEqual([
    { top: 0, left: 0, rows: 4, columns: 48 },
    { top: 0, left: 48, rows: 4, columns: 48 },
    { top: 0, left: 96, rows: 4, columns: 4 },
    { top: 4, left: 0, rows: 4, columns: 48 },
    { top: 4, left: 48, rows: 4, columns: 48 },
    { top: 4, left: 96, rows: 4, columns: 4 },
  ]);
});

test("what is given at once follows what is measured", () => {
  const pace = new Pace(1000);
  pace.note(1000, 200); // too long
  expect(pace.most).toBe(250);
  pace.note(250, 5); // short: more, but not at once all that would fit
  expect(pace.most).toBe(1000);
  pace.note(10, 20); // a small one says little
  expect(pace.most).toBe(1000);
  pace.note(10, 100); // unless it took too long by itself
  expect(pace.most).toBe(5);
});
