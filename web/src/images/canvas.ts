/** Canvases, of a page or a worker, and files made from them. */
import { messageOf, OptionError } from "../errors.js";
import type { ColourSpace } from "./colour-space.js";
import type { Picture } from "./pixels.js";
import { writePng } from "./png-writer.js";

export type AnyCanvas = OffscreenCanvas | HTMLCanvasElement;
export type AnyContext = OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D;

/** Whether canvases are there without a page. */
export const hasOffscreen = (): boolean => typeof OffscreenCanvas !== "undefined";

/** @param kind "element": one that a page can show */
export function canvasOf(width: number, height: number, kind: "any" | "element" = "any"): AnyCanvas {
  if (hasOffscreen() && kind === "any") return new OffscreenCanvas(width, height);
  if (typeof document === "undefined")
    throw new OptionError(
      'this browser has no canvas in workers; give the picture as RGBA bytes, and choose output "raw"',
    );
  return Object.assign(document.createElement("canvas"), { width, height });
}

/** @throws OptionError memory is short */
export function contextOf(canvas: AnyCanvas, colorSpace: ColourSpace): AnyContext {
  // a canvas that is shown is left to the graphics processor
  const willReadFrequently = !("style" in canvas) || !hasOffscreen();
  const context = canvas.getContext("2d", { willReadFrequently, colorSpace });
  if (!context)
    throw new OptionError(
      `the browser has no memory for a canvas of ${canvas.width}x${canvas.height} pixels; choose output "raw"`,
    );
  return context;
}

export interface BlobFormat {
  readonly type?: "image/png" | "image/jpeg" | "image/webp" | undefined;
  /** Quality of JPEG and WebP, from 0 to 1. */
  readonly quality?: number | undefined;
  /** Colour under transparent pixels, as in CSS. Default: white for JPEG, none for the others. */
  readonly background?: string | undefined;
}

export interface Encoding extends BlobFormat {
  readonly colorSpace: ColourSpace;
}

const TYPES = ["image/png", "image/jpeg", "image/webp"];

/** @throws OptionError before anything is computed */
export function checkFormat({ type, quality }: BlobFormat): void {
  if (type !== undefined && !TYPES.includes(type))
    throw new OptionError(`type must be one of ${TYPES.join(", ")}, not ${JSON.stringify(type)}`);
  if (quality !== undefined && !(quality >= 0 && quality <= 1))
    throw new OptionError(`quality must be a number from 0 to 1, not ${String(quality)}`);
}

/** A canvas with the picture in it. */
export function drawn(
  { width, height, data }: Picture,
  canvas: AnyCanvas,
  { colorSpace, background }: { colorSpace: ColourSpace; background?: string | undefined },
): AnyCanvas {
  const context = contextOf(canvas, colorSpace);
  context.putImageData(new ImageData(data, width, height, { colorSpace }), 0, 0);
  if (background !== undefined) {
    context.globalCompositeOperation = "destination-over";
    context.fillStyle = background;
    context.fillRect(0, 0, width, height);
  }
  return canvas;
}

/**
 * A file. A PNG that no canvas holds is written without one.
 *
 * @throws OptionError the browser cannot write this format, or not a picture this large
 */
export async function encode(picture: Picture, encoding: Encoding): Promise<Blob> {
  const { type = "image/png", colorSpace } = encoding;
  const background = encoding.background ?? (type === "image/jpeg" ? "white" : undefined);
  const alone = type === "image/png" && background === undefined;
  const area = picture.width * picture.height;
  if (alone && (!isDrawable(picture) || area > SAFE_AREA)) return await writePng(picture, colorSpace);
  try {
    return await byCanvas(picture, { ...encoding, type, background });
  } catch (error) {
    // memory for a canvas was short, or a limit of this browser lower than usual
    if (alone) return await writePng(picture, colorSpace);
    throw error;
  }
}

async function byCanvas(picture: Picture, encoding: Encoding & { type: string }): Promise<Blob> {
  const { type, quality } = encoding;
  checkDrawable(picture);
  const canvas = drawn(picture, canvasOf(picture.width, picture.height), encoding);
  const options = quality === undefined ? { type } : { type, quality };
  let blob: Blob | null;
  try {
    blob =
      "convertToBlob" in canvas
        ? await canvas.convertToBlob(options)
        : await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, quality));
  } catch (error) {
    throw new OptionError(
      `the browser cannot write this picture as ${type}: ${messageOf(error)}; choose output "raw"`,
    );
  }
  if (blob?.type !== type)
    throw new OptionError(`this browser cannot write ${type}; choose type "image/png"`);
  return blob;
}

/** Largest side that every current browser can draw. */
export const LARGEST_SIDE = 16384;
/** Pixels above which a telephone's canvas stays empty, and says nothing. */
const SAFE_AREA = 8192 * 8192;

interface Sides {
  readonly width: number;
  readonly height: number;
}

const isDrawable = ({ width, height }: Sides) => Math.max(width, height) <= LARGEST_SIDE;

export function checkDrawable(size: Sides): void {
  if (isDrawable(size)) return;
  throw new OptionError(
    `the result has ${size.width}x${size.height} pixels, but a canvas at most ${LARGEST_SIDE} per side; choose output ` +
      '"raw", or "blob" with type "image/png"',
  );
}
