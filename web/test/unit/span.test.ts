/** A SPAN by TF.js alone, as PyTorch computes it; by the kernels it is among `node.test.ts`'s. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Upscaler } from "../../src/node.js";
import { folderOf, samplesOf, testPicture, worst } from "../fixtures.js";

const NAME = "span-x2";
let upscaler: Upscaler;
beforeAll(async () => {
  upscaler = await Upscaler.load(folderOf(NAME), { engine: "tfjs" });
});
afterAll(() => upscaler.dispose());

test.each(["colour", "gray"] as const)("%s agrees with PyTorch", async (kind) => {
  const { given, expected } = samplesOf(NAME, 2)[kind];
  const result = await upscaler.upscale(given);
  expect(result).toMatchObject({ exact: true, engine: "tfjs" });
  expect([result.image.height, result.image.width]).toEqual([expected.height, expected.width]);
  expect(worst(result.image.data, expected.data)).toBeLessThanOrEqual(1);
});

test("windows that reach as far as the network sees are exact", async () => {
  const picture = testPicture(60, 90);
  const whole = await upscaler.upscale(picture);
  const cut = await upscaler.upscale(picture, { tile: { size: 32, overlap: upscaler.info.overlap } });
  expect(cut.exact).toBe(true);
  expect(worst(cut.image.data, whole.image.data)).toBeLessThanOrEqual(1);
});
