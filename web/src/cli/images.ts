/** Pictures as files, by sharp. */
import { rename, rm } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import type { Sharp } from "sharp";
import { DownloadError, EsrganError, messageOf } from "../errors.js";
import type { Picture } from "../pixels.js";

/** A picture and what of its file is carried over. */
export interface FilePicture extends Picture {
  /** Stored as one value a pixel. */
  readonly gray: boolean;
  /** Stored with 16 bits a channel, of which 8 are kept. */
  readonly deep: boolean;
}

async function load(): Promise<typeof import("sharp").default> {
  try {
    return (await import("sharp")).default;
  } catch (error) {
    throw new EsrganError(
      `the package sharp, which reads pictures, is not installed or does not start: npm install sharp (${messageOf(error)})`,
    );
  }
}

/** Read as sRGB, by the file's colour profile where it has one, and turned as its EXIF says. */
export async function readPicture(path: string): Promise<FilePicture> {
  const sharp = await load();
  try {
    const file = sharp(path, { failOn: "error" });
    const { channels, depth } = await file.metadata();
    const { data, info } = await file
      .autoOrient()
      .toColourspace("srgb")
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const pixels = new Uint8ClampedArray(4 * info.width * info.height);
    // sharp keeps a gray picture in two channels
    if (info.channels === 4) pixels.set(data);
    else {
      for (let pixel = 0; pixel < info.width * info.height; pixel++) {
        pixels.fill(data[2 * pixel]!, 4 * pixel, 4 * pixel + 3);
        pixels[4 * pixel + 3] = data[2 * pixel + 1]!;
      }
    }
    return {
      width: info.width,
      height: info.height,
      data: pixels,
      gray: channels <= 2,
      deep: depth === "ushort",
    };
  } catch (error) {
    throw new DownloadError(`${path} cannot be read as a picture: ${messageOf(error)}`);
  }
}

/** Write to a temporary name beside the target and rename. */
export async function writePicture(
  path: string,
  picture: FilePicture,
  quality: number | undefined,
): Promise<void> {
  const sharp = await load();
  const { width, height, data, gray } = picture;
  let image: Sharp = sharp(data, { raw: { width, height, channels: 4 } });
  if (!hasTransparency(data)) image = image.removeAlpha();
  if (gray) image = image.toColourspace("b-w");
  const end = extname(path).toLowerCase();
  const rate = quality === undefined ? {} : { quality };
  if (end === ".png") image = image.png();
  else if (end === ".webp") image = image.webp(rate);
  else if (end === ".avif") image = image.avif(rate);
  else if (end === ".tif" || end === ".tiff") image = image.tiff({ compression: "deflate" });
  else
    image = image
      .flatten({ background: "white" })
      .jpeg({ quality: quality ?? 92, chromaSubsampling: "4:4:4" });
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}`);
  try {
    await image.toFile(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new EsrganError(`${path} cannot be written: ${messageOf(error)}`);
  }
}

function hasTransparency(data: Uint8ClampedArray): boolean {
  for (let i = 3; i < data.length; i += 4) if (data[i] !== 255) return true;
  return false;
}
