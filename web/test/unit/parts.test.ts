import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { bleed } from "../../src/images/alpha.js";
import {
  EsrganError,
  fromPlain,
  IntegrityError,
  ModelError,
  OptionError,
  OutOfMemoryError,
  toPlain,
} from "../../src/errors.js";
import { parseManifest } from "../../src/models/manifest.js";
import { crossFadedMosaic, fadeWeights, joinedMosaic } from "../../src/tiling/mosaic.js";
import { isFlat, padPlane, planeOf } from "../../src/images/pixels.js";
import { graphBytes, makePlan } from "../../src/tiling/plan.js";
import { inTurn } from "../../src/threads/queue.js";
import { imresize } from "../../src/images/resample.js";
import { targetSize } from "../../src/images/target-size.js";
import { keepUniform } from "../../src/images/uniform-alpha.js";
import { sha256 } from "../../src/models/sha256.js";
import { cutStages } from "../../src/engine/stages.js";
import { planTiles } from "../../src/tiling/tiling.js";
import { folderOf, testPicture } from "../fixtures.js";

const manifestText = readFileSync(`${folderOf("rrdb-x4")}/model.json`, "utf8");
const manifest = parseManifest(manifestText, "the fixture");

describe("sha256", () => {
  test.each([0, 1, 55, 56, 64, 1000])("of %d bytes", async (length) => {
    const data = Uint8Array.from({ length }, (_, i) => (i * 31) & 255);
    const expected = createHash("sha256").update(data).digest("hex");
    expect(await sha256(data)).toBe(expected);
    vi.stubGlobal("crypto", {}); // as in a page that is not served securely
    expect(await sha256(data)).toBe(expected);
    vi.unstubAllGlobals();
  });
});

describe("manifest", () => {
  test("is read", () => {
    expect(manifest.info).toMatchObject({
      name: "test-rrdb-x4",
      scale: 4,
      unshuffle: 1,
      tailHalo: 2,
      receptiveField: 34,
    });
    expect(manifest.shards).toHaveLength(1);
    expect(manifest.input).toBe("input");
  });

  const changed = (change: (document: Record<string, never>) => void) => {
    const document = JSON.parse(manifestText) as Record<string, never>;
    change(document);
    return JSON.stringify(document);
  };
  type Loose = Record<string, Record<string, Record<string, unknown>>>;
  test.each([
    ["no JSON", "{"],
    ["another format", changed((d) => ((d as Record<string, unknown>)["format"] = "layers-model"))],
    ["no record", changed((d) => ((d as Record<string, unknown>)["userDefinedMetadata"] = {}))],
    [
      "another version",
      changed((d) => ((d as Loose)["userDefinedMetadata"]!["esrgan"]!["format_version"] = 9)),
    ],
    ["no hash", changed((d) => ((d as Loose)["userDefinedMetadata"]!["esrgan"]!["shards"] = {}))],
    [
      "no such node",
      changed((d) => ((d as Loose)["userDefinedMetadata"]!["esrgan"]!["features_node"] = "nowhere")),
    ],
    ["scale 0", changed((d) => ((d as Loose)["userDefinedMetadata"]!["esrgan"]!["scale"] = 0))],
  ])("with %s is refused", (_, text) => {
    expect(() => parseManifest(text, "it")).toThrow(ModelError);
  });
});

test("errors keep their class on the way from a worker", () => {
  const error = fromPlain(toPlain(new IntegrityError("damaged")));
  expect(error).toBeInstanceOf(IntegrityError);
  expect(error).toBeInstanceOf(EsrganError);
  expect(error.message).toBe("damaged");
  expect(fromPlain(toPlain(new RangeError("far"))).name).toBe("RangeError");
});

describe.each([1, 5])("stages of the trunk, of %d convolutions at least", (least) => {
  const stages = cutStages(manifest.nodes, "input", "features", least);
  test("lead from the input to the features, each from what is there", () => {
    const there = new Set(["input"]);
    for (const stage of stages) {
      for (const name of stage.feeds) expect(there).toContain(name);
      for (const name of stage.fetches) there.add(name);
      for (const name of stage.spent) expect(there.delete(name)).toBe(true);
    }
    expect([...there]).toEqual(["features"]);
  });
  test("are many, and hold few tensors", () => {
    expect(stages.length).toBeGreaterThanOrEqual(4);
    for (const stage of stages) expect(stage.feeds.length).toBeLessThanOrEqual(2);
  });
});

test("a network of plain convolutions can be interrupted after each of them", () => {
  const compact = parseManifest(readFileSync(`${folderOf("compact-x4")}/model.json`, "utf8"), "the fixture");
  const convolutions = compact.nodes.filter(({ op }) => op.includes("Conv")).length;
  expect(cutStages(compact.nodes, "input", "features", 1).length).toBeGreaterThanOrEqual(convolutions - 1);
});

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
    expect(plan.reason).toMatch(/needs .* MiB/);
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

describe("pixels", () => {
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
});

describe("queue", () => {
  test("work is done in turn, after a failure too", async () => {
    const done: number[] = [];
    const first = inTurn(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      done.push(1);
      throw new Error("first");
    });
    const second = inTurn(() => Promise.resolve(done.push(2)));
    await expect(first).rejects.toThrow("first");
    await second;
    expect(done).toEqual([1, 2]);
  });
  test("who waits can leave at once", async () => {
    let release: () => void = () => undefined;
    const first = inTurn(() => new Promise<void>((resolve) => (release = resolve)));
    const abort = new AbortController();
    const second = inTurn(() => Promise.resolve("ran"), abort.signal);
    abort.abort(new Error("left"));
    await expect(second).rejects.toThrow("left");
    release();
    await first;
  });
});
