/** A network of operators that the kernels do not have: TF.js computes it, as PyTorch does. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Upscaler } from "../../src/node.js";
import { SPAN, folderOf, samplesOf, testPicture, worst } from "../fixtures.js";

let upscaler: Upscaler;
beforeAll(async () => {
  upscaler = await Upscaler.load(folderOf(SPAN));
});
afterAll(() => upscaler.dispose());

test.each(["colour", "gray"] as const)("%s agrees with PyTorch", async (kind) => {
  const { given, expected } = samplesOf(SPAN, 2)[kind];
  const result = await upscaler.upscale(given);
  expect(result).toMatchObject({ exact: true, engine: "tfjs" });
  expect([result.image.height, result.image.width]).toEqual([expected.height, expected.width]);
  expect(worst(result.image.data, expected.data)).toBeLessThanOrEqual(1);
});

test("why the kernels do not compute it is said", () => {
  expect(upscaler.reason).toMatch(
    /engine kernels on wasm fails: its convolution "conv_cat\/Conv" is not 3x3/,
  );
});

test("windows that reach as far as the network sees are exact", async () => {
  const picture = testPicture(60, 90);
  const whole = await upscaler.upscale(picture);
  const cut = await upscaler.upscale(picture, { tile: { size: 32, overlap: upscaler.info.overlap } });
  expect(cut.exact).toBe(true);
  expect(worst(cut.image.data, whole.image.data)).toBeLessThanOrEqual(1);
});
