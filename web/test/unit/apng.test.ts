/** Animated PNG: composed as browsers do, written so that others read it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, expect, test } from "vitest";
import { readPicture, writePicture } from "../../src/cli/images.js";
import { chunksOfPng, PNG, pngChunk } from "../../src/images/png.js";

const folder = mkdtempSync(join(tmpdir(), "tfjs-esrgan-apng-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Frame {
  readonly size: readonly [width: number, height: number];
  readonly at?: readonly [left: number, top: number];
  readonly colour: { r: number; g: number; b: number; alpha: number };
  readonly dispose?: 0 | 1 | 2;
  readonly blend?: 0 | 1;
  readonly delay?: readonly [count: number, unit: number];
}

const RED = { r: 255, g: 0, b: 0, alpha: 1 };
const BLUE = { r: 0, g: 0, b: 255, alpha: 1 };
const HALF = { r: 0, g: 0, b: 255, alpha: 0.5 };

/** A file of frames of one colour each; `hidden` is a first picture that is no frame. */
async function animation(frames: readonly Frame[], hidden?: Frame): Promise<string> {
  const parts = [];
  let sequence = 0;
  let header: Uint8Array | undefined;
  for (const [index, frame] of [...(hidden ? [hidden] : []), ...frames].entries()) {
    const [width, height] = frame.size;
    const file = await sharp({ create: { width, height, channels: 4, background: frame.colour } })
      .png()
      .toBuffer();
    const chunks = chunksOfPng(file);
    header ??= chunks[0]!.data;
    if (index === 0) {
      const counts = new DataView(new ArrayBuffer(8));
      counts.setUint32(0, frames.length);
      counts.setUint32(4, 3);
      parts.push(pngChunk("IHDR", header), pngChunk("acTL", new Uint8Array(counts.buffer)));
    }
    if (frame !== hidden) {
      const control = new DataView(new ArrayBuffer(26));
      const [left, top] = frame.at ?? [0, 0];
      [sequence++, width, height, left, top].forEach((value, at) => control.setUint32(4 * at, value));
      const [count, unit] = frame.delay ?? [1, 10];
      control.setUint16(20, count);
      control.setUint16(22, unit);
      control.setUint8(24, frame.dispose ?? 0);
      control.setUint8(25, frame.blend ?? 0);
      parts.push(pngChunk("fcTL", new Uint8Array(control.buffer)));
    }
    for (const { type, data } of chunks) {
      if (type !== "IDAT") continue;
      if (index === 0) parts.push(pngChunk("IDAT", data));
      else {
        const number = new DataView(new ArrayBuffer(4));
        number.setUint32(0, sequence++);
        parts.push(pngChunk("fdAT", Buffer.concat([new Uint8Array(number.buffer), data])));
      }
    }
  }
  const path = join(folder, `${Math.random()}.png`);
  writeFileSync(path, Buffer.concat([PNG, ...parts, pngChunk("IEND", new Uint8Array(0))]));
  return path;
}

/** The pixels of each frame of a 2x1 picture, as text. */
const seen = async (path: string) =>
  (await readPicture(path, "out.png")).frames.map(({ data }) => [...data].join(" "));

const [RED_RED, CLEAR] = ["255 0 0 255 255 0 0 255", "0 0 0 0"];

test("frames lie over, in place of, and after each other", async () => {
  const small = { size: [1, 1], at: [1, 0] } as const;
  const base = { size: [2, 1], colour: RED } as const;
  const path = await animation([
    base,
    { ...small, colour: HALF, blend: 1, dispose: 2 },
    { ...small, colour: HALF, blend: 0, dispose: 1 },
    { size: [1, 1], colour: BLUE },
  ]);
  expect(await seen(path)).toEqual([
    RED_RED,
    "255 0 0 255 127 0 128 255",
    "255 0 0 255 0 0 255 128",
    `0 0 255 255 ${CLEAR}`,
  ]);
});

test("a first frame that is to be restored leaves nothing, and a picture before the first is none", async () => {
  const path = await animation(
    [
      { size: [1, 1], colour: RED, dispose: 2, delay: [1, 2] },
      { size: [1, 1], at: [1, 0], colour: BLUE, delay: [7, 0] },
    ],
    { size: [2, 1], colour: HALF },
  );
  expect(await seen(path)).toEqual([`255 0 0 255 ${CLEAR}`, `${CLEAR} 0 0 255 255`]);
  expect(await readPicture(path, "out.png")).toMatchObject({ delay: [500, 70], loop: 3 });
});

test("a frame outside of the picture is an error of the file", async () => {
  const path = await animation([
    { size: [2, 1], colour: RED },
    { size: [2, 1], at: [1, 0], colour: BLUE },
  ]);
  await expect(readPicture(path, "out.png")).rejects.toThrow(/frame 2 lies outside the picture/);
});

test.each(["png", "gif", "webp"])("is written as %s with all its frames and times", async (end) => {
  const path = await animation([
    { size: [2, 1], colour: RED },
    { size: [2, 1], colour: BLUE, delay: [1, 4] },
  ]);
  const picture = await readPicture(path, `out.${end}`);
  const target = join(folder, `out.${end}`);
  await writePicture(target, picture, 100);
  const again = await readPicture(target, "out.png");
  expect(again).toMatchObject({ delay: [100, 250], loop: 3 });
  const first = again.frames.map(({ data }) => [data[0]! > 200, data[2]! > 200, data[3]]);
  expect(first).toEqual([
    [true, false, 255],
    [false, true, 255],
  ]);
});
