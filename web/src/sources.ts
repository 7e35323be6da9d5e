/** What a page has as pictures, into RGBA bytes, and back into what a page wants. */
import { OptionError } from "./errors.js";
import type { Picture } from "./pixels.js";

export type Source =
  ImageBitmap | ImageData | HTMLImageElement | HTMLCanvasElement | OffscreenCanvas | Blob | Picture;

/** A picture that can be handed to a worker: bytes, or what the worker will draw. */
export type Portable = Picture | ImageBitmap;

/** The caller keeps its source: what is handed on is a copy. Orientation in EXIF is applied. */
export async function toPortable(source: Source): Promise<Portable> {
  if (typeof source !== "object") {
    throw new OptionError(`a picture is an image, a canvas, a Blob or RGBA bytes, not ${typeof source}`);
  }
  if ("data" in source) {
    const { width, height, data } = source;
    if (!(data instanceof Uint8ClampedArray)) throw new OptionError("RGBA bytes come as Uint8ClampedArray");
    return { width, height, data: data.slice() };
  }
  if (typeof HTMLImageElement !== "undefined" && source instanceof HTMLImageElement) await source.decode();
  try {
    return await createImageBitmap(source);
  } catch (error) {
    throw new OptionError(`this is no picture that the browser can read: ${String(error)}`);
  }
}

/** Draw and read; a bitmap is closed. A canvas keeps colour under nearly transparent pixels only roughly. */
export function toPicture(portable: Portable): Picture {
  if ("data" in portable) return portable;
  const { width, height } = portable;
  try {
    const context = contextOf(new OffscreenCanvas(width, height));
    context.drawImage(portable, 0, 0);
    return {
      width,
      height,
      data: context.getImageData(0, 0, width, height).data,
    };
  } finally {
    portable.close();
  }
}

export interface BlobFormat {
  readonly type?: "image/png" | "image/jpeg" | "image/webp" | undefined;
  /** From 0 to 1, for JPEG and WebP. */
  readonly quality?: number | undefined;
}

/** @throws OptionError the browser cannot write this format, or not a picture this large */
export async function encode(picture: Picture, { type = "image/png", quality }: BlobFormat): Promise<Blob> {
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  contextOf(canvas).putImageData(new ImageData(picture.data, picture.width, picture.height), 0, 0);
  const blob = await canvas.convertToBlob(quality === undefined ? { type } : { type, quality });
  if (blob.type !== type) throw new OptionError(`this browser cannot write ${type}; choose image/png`);
  return blob;
}

/** Largest side that every current browser can draw. */
export const LARGEST_SIDE = 16384;

export function checkDrawable(width: number, height: number): void {
  if (width <= LARGEST_SIDE && height <= LARGEST_SIDE) return;
  throw new OptionError(
    `a canvas holds ${LARGEST_SIDE} pixels a side, the result has ${height}x${width}; ask for the output "raw"`,
  );
}

function contextOf(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context)
    throw new OptionError(
      `the browser has no memory for a canvas of ${canvas.height}x${canvas.width} pixels`,
    );
  return context;
}
