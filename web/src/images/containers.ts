/** EXIF and colour profiles in files of PNG, JPEG and WebP: found in one, put into another. */
import type { Bytes } from "../models/bytes.js";
import { chunksOfPng, isPng, PNG, pngChunk, type Chunk } from "./png.js";

type Kind = "png" | "jpeg" | "webp";

/** What a picture file says beside its pixels. */
export interface Extras {
  /** A TIFF structure, as every format holds it. */
  readonly exif?: Bytes | undefined;
  /** A colour profile. */
  readonly icc?: Bytes | undefined;
}

const EXIF = "Exif\0\0";
const ICC = "ICC_PROFILE\0";
const LONGEST_SEGMENT = 65533;

/** EXIF of a file, with the orientation "upright": who reads pixels has turned them. */
export function exifOf(file: Uint8Array): Bytes | undefined {
  const found = foundIn(file);
  return found && upright(found);
}

function foundIn(file: Uint8Array): Bytes | undefined {
  switch (kindOf(file)) {
    case "png":
      return chunksOfPng(file).find(({ type }) => type === "eXIf")?.data;
    case "webp":
      return withoutMark(chunksOfWebp(file).find(({ type }) => type === "EXIF")?.data);
    case "jpeg":
      return withoutMark(
        segmentsOf(file).find(({ marker, data }) => marker === 0xe1 && textAt(data, 0, 6) === EXIF)?.data,
      );
    default:
      return undefined;
  }
}

function withoutMark(data: Bytes | undefined): Bytes | undefined {
  return data && textAt(data, 0, 6) === EXIF ? data.slice(6) : data;
}

/**
 * A copy of a file with EXIF and a profile in it; the same file where its format, or their size, does not allow it.
 *
 * @param deflate packs a profile for PNG, as zlib does; without it PNG gets none
 */
export function withExtras(
  file: Bytes,
  { exif, icc }: Extras,
  size: { width: number; height: number },
  deflate?: (data: Bytes) => Bytes,
): Bytes {
  switch (kindOf(file)) {
    case "png": {
      const chunks: Bytes[] = [];
      if (icc && deflate) chunks.push(pngChunk("iCCP", joined([textBytes("ICC profile\0\0"), deflate(icc)])));
      if (exif) chunks.push(pngChunk("eXIf", exif));
      const afterHeader = PNG.length + 12 + 13;
      return joined([file.subarray(0, afterHeader), ...chunks, file.subarray(afterHeader)]);
    }
    case "jpeg": {
      const segments: Bytes[] = [];
      if (exif && exif.length + 6 <= LONGEST_SEGMENT)
        segments.push(segment(0xe1, joined([textBytes(EXIF), exif])));
      if (icc) {
        const room = LONGEST_SEGMENT - ICC.length - 2;
        const count = Math.ceil(icc.length / room);
        for (let part = 0; part < count; part++) {
          const head = joined([textBytes(ICC), Uint8Array.of(part + 1, count)]);
          segments.push(segment(0xe2, joined([head, icc.subarray(part * room, (part + 1) * room)])));
        }
      }
      // EXIF wants to be the first; JFIF's own segment goes, for the two exclude each other
      const rest = file[2] === 0xff && file[3] === 0xe0 && exif ? 4 + (file[4]! << 8) + file[5]! : 2;
      return joined([file.subarray(0, 2), ...segments, file.subarray(rest)]);
    }
    case "webp":
      return webpWith(file, { exif, icc }, size);
    default:
      return file;
  }
}

function kindOf(file: Uint8Array): Kind | undefined {
  if (isPng(file)) return "png";
  if (file[0] === 0xff && file[1] === 0xd8) return "jpeg";
  return textAt(file, 0, 4) === "RIFF" && textAt(file, 8, 4) === "WEBP" ? "webp" : undefined;
}

function chunksOfWebp(file: Uint8Array): Chunk[] {
  const chunks: Chunk[] = [];
  const view = viewOf(file);
  for (let at = 12; at + 8 <= file.length;) {
    const length = view.getUint32(at + 4, true);
    chunks.push({ type: textAt(file, at, 4), data: file.slice(at + 8, at + 8 + length) });
    at += 8 + length + (length % 2);
  }
  return chunks;
}

function segmentsOf(file: Uint8Array): { marker: number; data: Bytes }[] {
  const segments: { marker: number; data: Bytes }[] = [];
  const view = viewOf(file);
  const [START_OF_SCAN, END] = [0xda, 0xd9];
  for (let at = 2; at + 4 <= file.length && file[at] === 0xff;) {
    const marker = file[at + 1]!;
    if (marker === START_OF_SCAN || marker === END) break;
    const length = view.getUint16(at + 2);
    segments.push({ marker, data: file.slice(at + 4, at + 2 + length) });
    at += 2 + length;
  }
  return segments;
}

function webpWith(file: Bytes, { exif, icc }: Extras, size: { width: number; height: number }): Bytes {
  const [HAS_ICC, HAS_ALPHA, HAS_EXIF] = [0x20, 0x10, 0x08];
  const given = chunksOfWebp(file);
  const old = given.find(({ type }) => type === "VP8X");
  const kept = given.filter(
    ({ type }) => !["VP8X", ...(exif ? ["EXIF"] : []), ...(icc ? ["ICCP"] : [])].includes(type),
  );
  // bit 28 after the signature of a lossless picture tells of transparency
  const lossless = given.find(({ type }) => type === "VP8L")?.data;
  const hasAlpha = kept.some(({ type }) => type === "ALPH") || ((lossless?.[4] ?? 0) & 0x10) !== 0;
  const head = old?.data.slice() ?? new Uint8Array(10);
  head[0]! |= (exif ? HAS_EXIF : 0) | (icc ? HAS_ICC : 0) | (hasAlpha ? HAS_ALPHA : 0);
  if (!old) {
    const put = (at: number, value: number) => head.set([value & 255, (value >> 8) & 255, value >> 16], at);
    put(4, size.width - 1);
    put(7, size.height - 1);
  }
  const chunks = [
    { type: "VP8X", data: head },
    ...(icc ? [{ type: "ICCP", data: icc }] : []),
    ...kept,
    ...(exif ? [{ type: "EXIF", data: exif }] : []),
  ].map(({ type, data }) => {
    const chunk = new Uint8Array(8 + data.length + (data.length % 2));
    chunk.set(textBytes(type));
    viewOf(chunk).setUint32(4, data.length, true);
    chunk.set(data, 8);
    return chunk;
  });
  const body = joined([textBytes("WEBP"), ...chunks]);
  const start = joined([textBytes("RIFF"), new Uint8Array(4)]);
  viewOf(start).setUint32(4, body.length, true);
  return joined([start, body]);
}

/** A copy in which the first directory says that the picture stands upright. */
function upright(exif: Bytes): Bytes {
  const [ORIENTATION, SHORT] = [0x0112, 3];
  const copy = exif.slice();
  const view = viewOf(copy);
  const little = textAt(copy, 0, 2) === "II";
  if (copy.length < 8) return copy;
  const directory = view.getUint32(4, little);
  if (directory + 2 > copy.length) return copy;
  const count = view.getUint16(directory, little);
  for (let entry = 0; entry < count; entry++) {
    const at = directory + 2 + 12 * entry;
    if (at + 12 > copy.length) break;
    if (view.getUint16(at, little) !== ORIENTATION) continue;
    view.setUint16(at + 2, SHORT, little);
    view.setUint32(at + 4, 1, little);
    view.setUint16(at + 8, 1, little);
  }
  return copy;
}

function segment(marker: number, data: Bytes): Bytes {
  const length = data.length + 2;
  return joined([Uint8Array.of(0xff, marker, length >> 8, length & 255), data]);
}

function joined(parts: readonly Uint8Array[]): Bytes {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

function textBytes(text: string): Bytes {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function textAt(file: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...file.subarray(at, at + length));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
