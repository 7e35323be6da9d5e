/** Animated PNG: taken apart into still ones and composed, and put together from still ones. */
import type { Bytes } from "../models/bytes.js";
import { EsrganError } from "../errors.js";
import type { Picture } from "../images/pixels.js";
import { chunksOfPng, isPng, PNG, pngChunk, type Chunk } from "../images/png.js";

/** Milliseconds of each frame, and how often all are shown, 0 for ever. */
export interface Timing {
  readonly delay: readonly number[];
  readonly loop: number;
}

/** What a frame's chunk fcTL says. */
interface Control {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  readonly delay: number;
  readonly dispose: number;
  readonly blend: number;
}

const [CLEARED, RESTORED] = [1, 2]; // what becomes of a frame's place after it was shown
const OVER = 1; // a frame lies over what was there, instead of in its place
const HUNDREDTHS = 100; // where a file names no unit
const LONGEST = 65535; // of a delay, in milliseconds
// frames are turned by no EXIF: it speaks of the whole picture
const OWN = ["IHDR", "IDAT", "IEND", "fdAT", "fcTL", "acTL", "eXIf"];

/** Whether a file is a PNG of several frames. */
export function isAnimatedPng(file: Uint8Array): boolean {
  return isPng(file) && chunksOfPng(file).filter(({ type }) => type === "fcTL").length > 1;
}

/**
 * Every frame as it is seen: what is left of those before it, and itself.
 *
 * @param decode reads a still PNG
 * @throws EsrganError a frame that does not lie within the picture
 */
export async function readApng(
  file: Uint8Array,
  decode: (still: Bytes) => Promise<Picture>,
): Promise<Timing & { frames: Picture[] }> {
  const chunks = chunksOfPng(file);
  const header = chunks.find(({ type }) => type === "IHDR")!.data;
  const [width, height] = [viewOf(header).getUint32(0), viewOf(header).getUint32(4)];
  const first = chunks.findIndex(({ type }) => type === "IDAT");
  const common = chunks.slice(0, first).filter(({ type }) => !OWN.includes(type));
  const animation = chunks.find(({ type }) => type === "acTL")?.data;
  const frames: Picture[] = [];
  const delay: number[] = [];
  let shown = new Uint8ClampedArray(4 * width * height);
  for (const [index, { control, data }] of partsOf(chunks).entries()) {
    const { left, top } = control;
    if (left + control.width > width || top + control.height > height)
      throw new EsrganError(`its frame ${index + 1} lies outside the picture; the file is damaged`);
    const part = await decode(still(header, control, common, data));
    const before = shown.slice();
    lay(part, control.blend === OVER, shown, width, left, top);
    frames.push({ width, height, data: shown.slice() });
    delay.push(control.delay);
    // before the first there was nothing
    if (control.dispose === RESTORED && index) shown = before;
    else if (control.dispose === CLEARED || control.dispose === RESTORED)
      lay({ ...part, data: new Uint8ClampedArray(part.data.length) }, false, shown, width, left, top);
  }
  return { frames, delay, loop: animation && animation.length >= 8 ? viewOf(animation).getUint32(4) : 0 };
}

/** The frames' controls and packed pixels; a first picture that is not part of the animation has no control. */
function partsOf(chunks: readonly Chunk[]): { control: Control; data: Bytes[] }[] {
  const parts: { control: Control; data: Bytes[] }[] = [];
  for (const { type, data } of chunks) {
    if (type === "fcTL") parts.push({ control: controlOf(data), data: [] });
    if (type === "IDAT") parts.at(-1)?.data.push(data);
    if (type === "fdAT") parts.at(-1)?.data.push(data.slice(4));
  }
  return parts;
}

function controlOf(data: Bytes): Control {
  const view = viewOf(data);
  const unit = view.getUint16(22) || HUNDREDTHS;
  return {
    width: view.getUint32(4),
    height: view.getUint32(8),
    left: view.getUint32(12),
    top: view.getUint32(16),
    delay: Math.round((1000 * view.getUint16(20)) / unit),
    dispose: data[24]!,
    blend: data[25]!,
  };
}

function still(header: Bytes, { width, height }: Control, common: readonly Chunk[], data: Bytes[]): Bytes {
  const own = header.slice();
  viewOf(own).setUint32(0, width);
  viewOf(own).setUint32(4, height);
  return joined([
    PNG,
    pngChunk("IHDR", own),
    ...common.map((chunk) => pngChunk(chunk.type, chunk.data)),
    pngChunk("IDAT", joined(data)),
    pngChunk("IEND", new Uint8Array(0)),
  ]);
}

function lay(
  part: Picture,
  over: boolean,
  onto: Uint8ClampedArray,
  width: number,
  left: number,
  top: number,
): void {
  for (let y = 0; y < part.height; y++) {
    for (let x = 0; x < part.width; x++) {
      const from = 4 * (y * part.width + x);
      const to = 4 * ((top + y) * width + left + x);
      const alpha = part.data[from + 3]! / 255;
      const below = over ? (onto[to + 3]! / 255) * (1 - alpha) : 0;
      const sum = alpha + below;
      for (let c = 0; c < 3; c++) {
        const own = part.data[from + c]!;
        onto[to + c] = below && sum ? (own * alpha + onto[to + c]! * below) / sum : own;
      }
      onto[to + 3] = 255 * sum;
    }
  }
}

/**
 * @param stills PNG files of one size and one kind of pixels
 * @returns the first one's file, with the others in it
 */
export function writeApng(stills: readonly Bytes[], { delay, loop }: Timing): Bytes {
  let sequence = 0;
  const control = (frame: number, header: Bytes) => {
    const data = new Uint8Array(26);
    const view = viewOf(data);
    view.setUint32(0, sequence++);
    data.set(header.subarray(0, 8), 4); // width and height
    view.setUint16(20, Math.min(Math.max(Math.round(delay[frame] ?? 100), 0), LONGEST));
    view.setUint16(22, 1000);
    return pngChunk("fcTL", data);
  };
  const counts = new Uint8Array(8);
  viewOf(counts).setUint32(0, stills.length);
  viewOf(counts).setUint32(4, loop);
  const parts: Bytes[] = [PNG];
  for (const [frame, file] of stills.entries()) {
    const chunks = chunksOfPng(file);
    const header = chunks[0]!.data;
    for (const { type, data } of chunks) {
      if (frame === 0 && type === "IDAT" && !sequence)
        parts.push(pngChunk("acTL", counts), control(frame, header));
      if (frame === 0 && type !== "IEND") parts.push(pngChunk(type, data));
    }
    if (frame === 0) continue;
    parts.push(control(frame, header));
    for (const { type, data } of chunks) {
      if (type !== "IDAT") continue;
      const numbered = new Uint8Array(data.length + 4);
      viewOf(numbered).setUint32(0, sequence++);
      numbered.set(data, 4);
      parts.push(pngChunk("fdAT", numbered));
    }
  }
  return joined([...parts, pngChunk("IEND", new Uint8Array(0))]);
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const joined = (parts: readonly Uint8Array[]): Bytes => new Uint8Array(Buffer.concat(parts));
