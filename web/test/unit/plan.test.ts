import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { OptionError, OutOfMemoryError } from "../../src/errors.js";
import { parseManifest } from "../../src/models/manifest.js";
import { graphBytes, makePlan } from "../../src/tiling/plan.js";
import { folderOf } from "../fixtures.js";

const manifest = parseManifest(readFileSync(`${folderOf("rrdb-x4")}/model.json`, "utf8"), "the fixture");

describe("plans", () => {
  const { info } = manifest;
  const bytes = (height: number, width: number, tailSize: number) =>
    graphBytes(info, height, width, tailSize, false);
  test("a picture that fits is computed whole", () => {
    const plan = makePlan(info, 100, 120, "auto", 2 ** 30, bytes);
    expect(plan).toMatchObject({ exact: true, fade: 0 });
    expect(plan.windows).toHaveLength(1);
  });
  test("one that does not is cut, and that is said", () => {
    const plan = makePlan({ ...info, receptiveField: 1000, overlap: 16 }, 600, 600, "auto", 2 ** 24, bytes);
    expect(plan.windows.length).toBeGreaterThan(1);
    expect(plan).toMatchObject({ exact: false, overlap: 16, fade: 2 });
    expect(plan.reason).toMatch(/^600x600 pixels need .* MiB, but .* MiB are allowed/);
  });
  test("exact tiles where the context is cheap", () => {
    const plan = makePlan({ ...info, receptiveField: 18 }, 2000, 2000, "auto", 2 ** 26, bytes);
    expect(plan).toMatchObject({ exact: true, overlap: 18 });
    expect(plan.windows.length).toBeGreaterThan(1);
  });
  test("what cannot be exact is refused where that is asked for", () => {
    expect(() => makePlan({ ...info, receptiveField: 5000 }, 6000, 6000, "exact", 2 ** 24, bytes)).toThrow(
      OutOfMemoryError,
    );
    expect(() => makePlan(info, 60, 60, "auto", 1000, bytes)).toThrow(OutOfMemoryError);
  });
  test.each([{ size: 8 }, { size: 32, overlap: -1 }, { size: 20.5 }, "whole" as "auto"])(
    "%o is refused",
    (tiling) => {
      expect(() => makePlan(info, 60, 60, tiling, 2 ** 30, bytes)).toThrow(OptionError);
    },
  );
});
