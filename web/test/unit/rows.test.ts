/** By rows: the plans, needs and pictures of `tests/golden/rows.json`, which Python reads too, and every size. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KernelsNetwork } from "../../src/engine/kernels/network.js";
import type { Network } from "../../src/engine/network.js";
import { OutOfMemoryError } from "../../src/errors.js";
import type { ModelInfo } from "../../src/models/manifest.js";
import { Upscaler } from "../../src/node.js";
import { makePlan } from "../../src/tiling/plan.js";
import { check, golden, goldenPicture, heapOf, loaded, narrow, networkOf, poison } from "../by-rows.js";
import { folderOf, NAMES, testPicture, worst } from "../fixtures.js";

const SCALES = { "rrdb-x4": 4, "rrdb-x2": 2, "compact-x4": 4, "span-x2": 2 };

test.each(golden.plans)("golden plan of $height x $width, $tiling, $budget", (given) => {
  const { network, height, width, tiling, budget, pixel, column, fixed, plan } = given;
  const info = { ...network, tile: 128 } as ModelInfo;
  const up = (size: number) => Math.ceil(size / info.unshuffle) * info.unshuffle;
  const make = () =>
    makePlan(
      info,
      up(height),
      up(width),
      tiling,
      budget,
      (rows, columns) => pixel * rows * columns,
      (_, columns) => column * columns + fixed,
    );
  if ("refused" in plan) {
    expect(make).toThrow(OutOfMemoryError);
    return;
  }
  const { windows, ...made } = make();
  const { strips, windows: count, ...expected } = plan;
  expect(made).toMatchObject(expected);
  expect(windows).toHaveLength(count);
  if (strips) {
    const shown = [...windows.slice(0, 2), windows.at(-1)!];
    const found = shown.map(({ left, width, windowLeft, windowWidth }) => [
      left,
      width,
      windowLeft,
      windowWidth,
    ]);
    expect(found).toEqual(strips);
    for (const { top, height: rows, windowTop, windowHeight } of windows)
      expect([top, rows, windowTop, windowHeight]).toEqual([0, up(height), 0, up(height)]);
  }
});

describe.each(NAMES)("%s", (name) => {
  const networks = new Map<number, KernelsNetwork>();
  beforeAll(async () => {
    for (const threads of [1, 2, 4]) networks.set(threads, await networkOf(name, threads));
  });
  afterAll(() => networks.forEach((network) => network.dispose()));

  test.skipIf(!golden.needs.some(({ network }) => network === name))(
    "the kernels need what Python's do",
    () => {
      const cases = golden.needs.filter(({ network }) => network === name);
      expect(cases.length).toBeGreaterThan(3);
      for (const { sizes, bytes } of cases) {
        const [height, width, threads] = sizes;
        expect(networks.get(threads)!.byRows!.trunkBytes(height, width), String(sizes)).toBe(bytes);
      }
    },
  );

  test.each([
    [1, 1],
    [1, 90],
    [90, 1],
    [7, 5],
    [131, 18],
    [64, 67],
    [203, 17],
  ])("%dx%d features by rows are as the whole, whatever memory held before", async (rows, columns) => {
    const fold = networks.get(1)!.info.unshuffle;
    const [height, width] = [rows * fold, columns * fold];
    const values = Float32Array.from(
      { length: height * width * 3 },
      (_, index) => ((index * 73) % 101) / 100,
    );
    const expected = await wholeOf(networks.get(1)!, values, height, width);
    for (const threads of [1, 2]) {
      const network = networks.get(threads)!;
      const before = poison(network);
      const found = await byRows(network, values, height, width);
      expect(worst(found, expected)).toBeLessThan(1e-5);
      expect(heapOf(network).mark()).toBe(before);
    }
  });

  test.each([1, 2])("the golden picture, with %d threads", async (threads) => {
    await using upscaler = await loaded(name, threads);
    const { plan, exact, image } = await narrow(22, () => upscaler.upscale(goldenPicture()));
    expect(plan).toMatch(/^whole picture by rows, exact, about 1 MiB \(trunk by rows, tail in bands\)$/);
    expect(exact).toBe(true);
    check(image, golden.pictures[name], SCALES[name]);
  });

  test("strips of columns, colour, gray and transparent", async () => {
    await using upscaler = await loaded(name, 2);
    await using unlimited = await Upscaler.load(folderOf(name), { backend: "wasm", engine: "kernels" });
    const reach = upscaler.info.receptiveField;
    const colour = testPicture(3 * reach + 71, 25);
    const gray = {
      ...colour,
      data: colour.data.map((_, at) => (at % 4 === 3 ? 255 : colour.data[at - (at % 4)]!)),
    };
    const clear = {
      ...colour,
      data: colour.data.map((value, at) => (at % 4 === 3 && at % 7 ? at % 251 : value)),
    };
    for (const picture of [colour, gray, clear]) {
      const most = Math.ceil(picture.width / 3) + 2 * reach + 4;
      const found = await narrow(most, () => upscaler.upscale(picture));
      expect(found.plan).toMatch(
        /^[2-4] strips of columns by rows, exact, .*trunk by rows, \d+% of it twice/,
      );
      expect(found).toMatchObject({ exact: true, divided: 0 });
      const expected = await unlimited.upscale(picture);
      expect(expected.plan).toMatch(/^whole picture, exact/);
      expect(worst(found.image.data, expected.image.data)).toBeLessThanOrEqual(1);
    }
  });
});

async function wholeOf(network: Network, values: Float32Array, height: number, width: number) {
  const { unshuffle } = network.info;
  const features = await network.trunk(values, height, width, () => Promise.resolve());
  const result = await network.tail(features, 0, 0, height / unshuffle, width / unshuffle);
  features.dispose();
  return result;
}

async function byRows(network: Network, values: Float32Array, height: number, width: number) {
  const { scale, inChannels, outChannels } = network.info;
  const line = width * inChannels;
  let next = 0;
  const read = (top: number, rows: number) => {
    expect(top).toBe(next);
    next += rows;
    return values.subarray(top * line, next * line);
  };
  const result = new Float32Array(height * width * outChannels * scale ** 2);
  let end = 0;
  let bands = 0;
  for await (const band of network.byRows!.run(height, width, read, () => Promise.resolve())) {
    expect(band.top).toBe(end);
    end += band.height;
    bands++;
    result.set(band.values, band.top * width * scale * outChannels);
  }
  expect([next, end, bands]).toEqual([height, height * scale, network.byRows!.bands(height, width)]);
  return result;
}
