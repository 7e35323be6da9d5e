/** PNG without a canvas, as a page writes what is too large for one. */
import fc from "fast-check";
import sharp from "sharp";
import { expect, test } from "vitest";
import type { Picture } from "../../src/images/pixels.js";
import { chunksOfPng } from "../../src/images/png.js";
import { writePng } from "../../src/images/png-writer.js";
import { worst } from "../fixtures.js";
import { runs, side } from "./arbitrary.js";

const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());

function striped(width: number, height: number, clear: boolean): Picture {
  const data = Uint8ClampedArray.from({ length: 4 * width * height }, (_, at) =>
    at % 4 === 3 && !clear ? 255 : (at * at + 7 * at) % 256,
  );
  return { width, height, data };
}

test("gives back the same pixels, of any size, opaque and not", async () => {
  await fc.assert(
    fc.asyncProperty(side, side, fc.boolean(), async (width, height, clear) => {
      const picture = striped(width, height, clear);
      const blob = await writePng(picture, "srgb");
      expect(blob.type).toBe("image/png");
      const file = sharp(await bytesOf(blob));
      const { data, info } = await file.raw().toBuffer({ resolveWithObject: true });
      expect(info).toMatchObject({ width, height });
      const given = info.channels === 4 ? picture.data : picture.data.filter((_, at) => at % 4 !== 3);
      expect(worst(data, given)).toBe(0);
    }),
    runs(30),
  );
});

test("a picture wider than any canvas, in several pieces, with its colour space", async () => {
  const picture = striped(40_000, 30, true);
  const bytes = await bytesOf(await writePng(picture, "display-p3"));
  const chunks = chunksOfPng(bytes);
  expect(chunks.filter(({ type }) => type === "IDAT").length).toBeGreaterThan(1);
  expect([...chunks.find(({ type }) => type === "cICP")!.data]).toEqual([12, 13, 0, 1]);
  expect(worst(await sharp(bytes).raw().toBuffer(), picture.data)).toBe(0);
});
