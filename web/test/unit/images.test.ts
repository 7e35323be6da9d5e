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

/** The one frame of a file that becomes another, where nothing says what its colours mean. */
const only = async (name: string) => {
  const { frames } = await readPicture(file(name), "result.tiff");
  expect(frames).toHaveLength(1);
  return frames[0]!;
};

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
  const picture = await only("turned.png");
  expect([picture.width, picture.height]).toEqual([width, 5 - width]);
  expect(at(picture, x, y)).toEqual([255, 0, 0, 255]);
});

test("a colour profile is applied: sRGB red, stored as Display P3, is red again", async () => {
  await corner().withIccProfile("p3").png().toFile(file("p3.png"));
  const stored = await sharp(file("p3.png"), { ignoreIcc: true }).raw().toBuffer();
  expect(stored[0]).toBeLessThan(245);
  const [red, green, blue] = at(await only("p3.png"), 0, 0);
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
  expect((await readPicture(file("deep.png"), "result.png")).deep).toBe(true);
  const picture = await only("deep.png");
  values.forEach((value, index) => {
    const found = picture.data[4 * Math.floor(index / 3) + (index % 3)]!;
    expect(Math.abs(found - value / 257)).toBeLessThanOrEqual(1);
  });
  await corner().png().toFile(file("plain.png"));
  expect((await readPicture(file("plain.png"), "result.png")).deep).toBe(false);
});

test("transparency and gray survive reading and writing", async () => {
  const data = Uint8Array.from([10, 0, 200, 255]);
  await sharp(data, { raw: { width: 2, height: 1, channels: 2 } })
    .toColourspace("b-w")
    .png()
    .toFile(file("gray.png"));
  const picture = await readPicture(file("gray.png"), file("written.png"));
  expect([...picture.frames[0]!.data]).toEqual([10, 10, 10, 0, 200, 200, 200, 255]);
  await writePicture(file("written.png"), picture, undefined);
  expect((await sharp(file("written.png")).metadata()).channels).toBe(2);
  expect([...(await only("written.png")).data]).toEqual([...picture.frames[0]!.data]);
});

test.each(["png", "jpg", "webp"])(
  "EXIF and the profile are in a %s too, and the picture stands upright",
  async (end) => {
    await corner()
      .withIccProfile("p3")
      .withMetadata({ orientation: 6 })
      .withExifMerge({ IFD0: { Copyright: "somebody" } })
      .jpeg({ quality: 100, chromaSubsampling: "4:4:4" })
      .toFile(file("camera.jpg"));
    const target = file(`camera-out.${end}`);
    const picture = await readPicture(file("camera.jpg"), target);
    expect([picture.frames[0]!.width, picture.frames[0]!.height]).toEqual([2, 3]);
    await writePicture(target, picture, 100);
    const [given, made] = [await sharp(file("camera.jpg")).metadata(), await sharp(target).metadata()];
    expect(made.icc).toEqual(given.icc);
    expect(made.orientation).toBe(1);
    expect(made.exif!.toString("latin1")).toContain("somebody");
    if (end === "webp") return; // which halves the resolution of colours
    // the numbers are those that were stored
    const [red] = await sharp(target, { ignoreIcc: true }).raw().toBuffer();
    const [stored] = await sharp(file("camera.jpg"), { ignoreIcc: true }).autoOrient().raw().toBuffer();
    expect(Math.abs(red! - stored!)).toBeLessThanOrEqual(3);
  },
);

test.each(["gif", "webp"])("every frame of a %s, with its time", async (end) => {
  const frames = [255, 128, 0].map((value) => Buffer.alloc(4 * 3 * 3, value));
  const raw = { width: 4, height: 9, channels: 3 as const, pageHeight: 3 };
  const animation = { delay: [100, 200, 300], loop: 2 };
  await sharp(Buffer.concat(frames), { raw }).gif(animation).toFile(file("moving.gif"));
  const target = file(`moved.${end}`);
  const picture = await readPicture(file("moving.gif"), target);
  expect(picture.frames.map(({ width, height, data }) => [width, height, data[0]])).toEqual([
    [4, 3, 255],
    [4, 3, 128],
    [4, 3, 0],
  ]);
  await writePicture(target, picture, undefined);
  expect(await sharp(target, { animated: true }).metadata()).toMatchObject({
    pages: 3,
    pageHeight: 3,
    ...animation,
  });
});

test("a TIFF is turned as its EXIF says, and its further pages are counted", async () => {
  await corner().withMetadata({ orientation: 6 }).tiff({ compression: "lzw" }).toFile(file("turned.tiff"));
  expect((await sharp(file("turned.tiff")).metadata()).orientation).toBe(6);
  const picture = await only("turned.tiff");
  expect([picture.width, picture.height]).toEqual([2, 3]);
  expect(at(picture, 1, 0)).toEqual([255, 0, 0, 255]);
  const raw = { width: 4, height: 6, channels: 3 as const, pageHeight: 3 };
  await sharp(Buffer.alloc(4 * 6 * 3, 9), { raw })
    .tiff()
    .toFile(file("pages.tiff"));
  expect((await readPicture(file("turned.tiff"), "result.png")).pages).toBe(1);
});
