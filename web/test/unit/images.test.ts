/** Picture files of the Node command: orientation, colour profiles, 16 bits, transparency. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, expect, test } from "vitest";
import { readPicture, writePicture } from "../../src/cli/images.js";

const folder = mkdtempSync(join(tmpdir(), "tfjs-esrgan-images-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string) => join(folder, name);

/** 3x2 pixels: the first is red, the others are gray. */
function corner() {
  const data = Buffer.alloc(18, 128);
  data.set([255, 0, 0]);
  return sharp(data, { raw: { width: 3, height: 2, channels: 3 } });
}

const at = ({ width, data }: { width: number; data: Uint8ClampedArray }, x: number, y: number) => [
  ...data.subarray(4 * (y * width + x), 4 * (y * width + x) + 4),
];

test.each([
  [1, 3, 0, 0],
  [3, 3, 2, 1],
  [6, 2, 1, 0],
  [8, 2, 0, 2],
] as const)("EXIF orientation %d is applied", async (orientation, width, x, y) => {
  await corner().withMetadata({ orientation }).png().toFile(file("turned.png"));
  const picture = await readPicture(file("turned.png"));
  expect([picture.width, picture.height]).toEqual([width, 5 - width]);
  expect(at(picture, x, y)).toEqual([255, 0, 0, 255]);
});

test("a colour profile is applied: sRGB red, stored as Display P3, is red again", async () => {
  await corner().withIccProfile("p3").png().toFile(file("p3.png"));
  const stored = await sharp(file("p3.png"), { ignoreIcc: true }).raw().toBuffer();
  expect(stored[0]).toBeLessThan(245);
  const [red, green, blue] = at(await readPicture(file("p3.png")), 0, 0);
  expect(red).toBeGreaterThan(252);
  expect(Math.max(green!, blue!)).toBeLessThan(8);
});

test("of 16 bits the upper 8 are kept, and it is known", async () => {
  const values = Uint16Array.from([0, 256 * 100, 65535, 256 * 200 + 128, 300, 65000]);
  await sharp(values, { raw: { width: 2, height: 1, channels: 3 } })
    .toColourspace("rgb16")
    .png()
    .toFile(file("deep.png"));
  expect((await sharp(file("deep.png")).metadata()).depth).toBe("ushort");
  const picture = await readPicture(file("deep.png"));
  expect(picture.deep).toBe(true);
  values.forEach((value, index) => {
    const found = picture.data[4 * Math.floor(index / 3) + (index % 3)]!;
    expect(Math.abs(found - value / 257)).toBeLessThanOrEqual(1);
  });
  await corner().png().toFile(file("plain.png"));
  expect((await readPicture(file("plain.png"))).deep).toBe(false);
});

test("transparency and gray survive reading and writing", async () => {
  const data = Uint8Array.from([10, 0, 200, 255]);
  await sharp(data, { raw: { width: 2, height: 1, channels: 2 } })
    .toColourspace("b-w")
    .png()
    .toFile(file("gray.png"));
  const picture = await readPicture(file("gray.png"));
  expect([...picture.data]).toEqual([10, 10, 10, 0, 200, 200, 200, 255]);
  await writePicture(file("written.png"), picture, undefined);
  expect((await sharp(file("written.png")).metadata()).channels).toBe(2);
  expect([...(await readPicture(file("written.png"))).data]).toEqual([...picture.data]);
});
