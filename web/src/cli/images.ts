/** Pictures as files, by sharp: frames in, frames out. */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { deflateSync } from "node:zlib";
import type { Metadata, Sharp } from "sharp";
import type { Bytes } from "../models/bytes.js";
import { exifOf, withExtras, type Extras } from "../images/containers.js";
import { DownloadError, EsrganError, messageOf } from "../errors.js";
import type { Picture } from "../images/pixels.js";
import { isAnimatedPng, readApng, writeApng, type Timing } from "./apng.js";

/** The pictures of a file, one unless it is animated, and what of the file is carried over. */
export interface PictureFile extends Extras, Timing {
  readonly frames: readonly Picture[];
  /** Stored as one value a pixel. */
  readonly gray: boolean;
  /** Stored with 16 bits a channel, of which 8 are kept. */
  readonly deep: boolean;
  /** Pages of the file that are no animation; the first is read. */
  readonly pages: number;
}

export const WRITTEN = [".png", ".jpg", ".jpeg", ".webp", ".avif", ".tif", ".tiff", ".gif"];
export const READ = [...WRITTEN, ".jfif"];
const ANIMATED = [".png", ".gif", ".webp"];
const PROFILED = [".png", ".jpg", ".jpeg", ".webp"];

const isA = (path: string, ...ends: string[]): boolean => ends.includes(extname(path).toLowerCase());
export const canAnimate = (path: string): boolean => isA(path, ...ANIMATED);

async function load(): Promise<typeof import("sharp").default> {
  try {
    return (await import("sharp")).default;
  } catch (error) {
    throw new EsrganError(
      `pictures are read with the package sharp, which cannot be imported (${firstLine(messageOf(error))}); ` +
        "install it: npm install sharp",
    );
  }
}

/**
 * Read, turned as its EXIF says. Colours stay as they are stored where the file written has place for the profile that says
 * what they mean, and become sRGB where it has none.
 */
export async function readPicture(path: string, target: string): Promise<PictureFile> {
  const sharp = await load();
  try {
    const bytes: Bytes = new Uint8Array(await readFile(path));
    const first: Metadata = await sharp(bytes, { failOn: "error" }).metadata();
    // pages of a TIFF may differ in size; only an animation is read as one picture above another
    const animated = (first.pages ?? 1) > 1 && ["gif", "webp"].includes(first.format);
    const about = animated ? await sharp(bytes, { animated }).metadata() : first;
    const keepsProfile =
      about.icc !== undefined &&
      PROFILED.includes(extname(target).toLowerCase()) &&
      ["srgb", "rgb16", "b-w", "grey16"].includes(about.space);
    const options = { failOn: "error", ignoreIcc: keepsProfile, animated } as const;
    const pageHeight = animated ? about.pageHeight : undefined;
    const decode = async (file: Bytes) => await framesOf(sharp(file, options), pageHeight);
    const { frames, delay, loop } = isAnimatedPng(bytes)
      ? await readApng(bytes, async (still) => (await decode(still))[0]!)
      : { frames: await decode(bytes), delay: about.delay ?? [], loop: about.loop ?? 0 };
    return {
      frames,
      gray: about.channels <= 2,
      deep: about.depth === "ushort",
      pages: animated ? 1 : (first.pages ?? 1),
      delay,
      loop,
      exif: exifOf(bytes),
      icc: keepsProfile ? new Uint8Array(about.icc!) : undefined,
    };
  } catch (error) {
    throw new DownloadError(`${path} cannot be read as a picture: ${firstLine(messageOf(error))}`);
  }
}

/** One above another, as sharp gives them. */
async function framesOf(image: Sharp, pageHeight: number | undefined): Promise<Picture[]> {
  const { data, info } = await image
    .autoOrient()
    .toColourspace("srgb")
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, channels } = info;
  const height = pageHeight ?? info.height;
  const size = height * width * channels;
  return Array.from({ length: Math.max(info.height / height, 1) }, (_, frame) => ({
    width,
    height,
    data: rgba(data.subarray(frame * size, (frame + 1) * size), channels),
  }));
}

/** sharp keeps a gray picture in two channels. */
function rgba(data: Buffer, channels: number): Uint8ClampedArray<ArrayBuffer> {
  if (channels === 4) return Uint8ClampedArray.from(data);
  const pixels = new Uint8ClampedArray(2 * data.length);
  for (let pixel = 0; pixel < data.length / 2; pixel++) {
    pixels.fill(data[2 * pixel]!, 4 * pixel, 4 * pixel + 3);
    pixels[4 * pixel + 3] = data[2 * pixel + 1]!;
  }
  return pixels;
}

/** Write to a temporary name beside the target and rename. */
export async function writePicture(
  path: string,
  file: PictureFile,
  quality: number | undefined,
): Promise<void> {
  const sharp = await load();
  const frames = canAnimate(path) ? file.frames : file.frames.slice(0, 1);
  const { width, height } = frames[0]!;
  const hasAlpha = frames.some(({ data }) => hasTransparency(data));
  const imageOf = (some: readonly Picture[]): Sharp => {
    const data =
      some.length > 1 ? Buffer.concat(some.map((frame) => Buffer.from(frame.data.buffer))) : some[0]!.data;
    const raw = { width, height: height * some.length, channels: 4 as const, pageHeight: height };
    let image: Sharp = sharp(data, { raw });
    if (!hasAlpha) image = image.removeAlpha();
    return file.gray ? image.toColourspace("b-w") : image;
  };
  const bytesOf = async (some: readonly Picture[]): Promise<Bytes> => {
    const timing = some.length > 1 ? { delay: [...file.delay], loop: file.loop } : {};
    return new Uint8Array(await encoder(imageOf(some), path, quality, timing).toBuffer());
  };
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}`);
  try {
    await mkdir(dirname(path), { recursive: true });
    let encoded: Bytes;
    if (frames.length > 1 && isA(path, ".png")) {
      const stills: Bytes[] = [];
      for (const frame of frames) stills.push(await bytesOf([frame]));
      encoded = writeApng(stills, file);
    } else encoded = await bytesOf(frames);
    const { exif, icc } = file;
    await writeFile(
      temporary,
      withExtras(encoded, { exif, icc }, { width, height }, (bytes) => new Uint8Array(deflateSync(bytes))),
    );
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new EsrganError(`${path} cannot be written: ${firstLine(messageOf(error))}`);
  }
}

function encoder(
  image: Sharp,
  path: string,
  quality: number | undefined,
  animation: { delay?: number[]; loop?: number },
): Sharp {
  const end = extname(path).toLowerCase();
  const rate = quality === undefined ? {} : { quality };
  if (end === ".png") return image.png();
  if (end === ".webp") return image.webp({ ...rate, ...animation });
  if (end === ".gif") return image.gif(animation);
  if (end === ".avif") return image.avif(rate);
  if (end === ".tif" || end === ".tiff") return image.tiff({ compression: "deflate" });
  return image.flatten({ background: "white" }).jpeg({ quality: quality ?? 92, chromaSubsampling: "4:4:4" });
}

function hasTransparency(data: ArrayLike<number>): boolean {
  for (let i = 3; i < data.length; i += 4) if (data[i] !== 255) return true;
  return false;
}

function firstLine(text: string): string {
  return text.split("\n")[0]!.trim();
}
