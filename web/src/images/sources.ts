/** What a page has as pictures, into RGBA bytes. */
import "./elements.js";
import { canvasOf, contextOf } from "./canvas.js";
import type { ColourSpace } from "./colour-space.js";
import { messageOf, OptionError, typeOf } from "../errors.js";
import { hasAlpha, pictureOf, type Picture, type Pixels } from "./pixels.js";
import { withStraightColours } from "./straight.js";

export type Source =
  | ImageBitmap
  | ImageData
  | HTMLImageElement
  | SVGImageElement
  | HTMLVideoElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | VideoFrame
  | Blob
  | Picture
  | Pixels;

/** A picture that can be handed to a worker: bytes, or what the worker will draw. */
export type Portable = (
  | Picture
  | {
      readonly bitmap: ImageBitmap;
      /** Its colours are not multiplied by alpha. */
      readonly straight: boolean;
      readonly width: number;
      readonly height: number;
    }
) & {
  /** What its colours are, in which it is computed and given back. */
  readonly colorSpace: ColourSpace;
};

const WANTED =
  "a picture must be an image element, a canvas, a video, a Blob, an ImageBitmap, an ImageData or RGBA bytes " +
  "{ width, height, data }";

/**
 * A copy of the picture; the source stays as it is. EXIF orientation is applied.
 *
 * @param colorSpace of the result; default: that of an ImageData or a canvas, and sRGB for other pictures
 * @throws OptionError this is not a picture, or one that the page may not read
 */
export async function toPortable(source: Source, colorSpace: ColourSpace | undefined): Promise<Portable> {
  const given: unknown = source;
  if (typeof given !== "object" || given === null) {
    const hint = typeof given === "string" ? "; fetch the address, and give the response's blob()" : "";
    throw new OptionError(`${WANTED}, not ${typeOf(given)}${hint}`);
  }
  if ("data" in source) {
    const own = (source as ImageData).colorSpace === "display-p3" ? "display-p3" : "srgb";
    return { ...pictureOf(source), colorSpace: colorSpace ?? own };
  }
  const kind = (name: string) => isA(source, name);
  if (kind("HTMLImageElement")) await decoded(source as HTMLImageElement);
  if (kind("HTMLVideoElement")) checkVideo(source as HTMLVideoElement);
  const own = kind("HTMLCanvasElement") || kind("OffscreenCanvas");
  const space = colorSpace ?? (own ? spaceOf(source as HTMLCanvasElement) : "srgb");
  const straight = kind("Blob") || kind("HTMLImageElement");
  const bitmap = await bitmapOf(source, straight);
  if (!kind("Blob") && !kind("ImageBitmap")) await checkReadable(bitmap);
  return { bitmap, straight, width: bitmap.width, height: bitmap.height, colorSpace: space };
}

/** Draw and read; a bitmap is closed. The colours of a canvas's nearly transparent pixels can be read only roughly. */
export function toPicture(portable: Portable): Picture {
  if (!("bitmap" in portable)) return portable;
  const { bitmap, straight, width, height, colorSpace } = portable;
  try {
    const context = contextOf(canvasOf(width, height), colorSpace);
    context.drawImage(bitmap, 0, 0);
    const picture = { width, height, data: context.getImageData(0, 0, width, height, { colorSpace }).data };
    const exact = straight && colorSpace === "srgb" && hasAlpha(picture);
    return exact ? withStraightColours(bitmap, picture) : picture;
  } catch (error) {
    if (error instanceof OptionError) throw error;
    throw unreadable(error);
  } finally {
    bitmap.close();
  }
}

/** Whether it is of a class that this place may not have; the class of another window counts too. */
function isA(source: object, name: string): boolean {
  const Class = (globalThis as Record<string, unknown>)[name];
  if (typeof Class === "function" && source instanceof (Class as new () => object)) return true;
  for (let at: unknown = Object.getPrototypeOf(source); at; at = Object.getPrototypeOf(at)) {
    if ((at as { constructor?: { name?: string } }).constructor?.name === name) return true;
  }
  return false;
}

async function decoded(image: HTMLImageElement): Promise<void> {
  try {
    await image.decode();
  } catch {
    const shown = image.currentSrc || image.src;
    const place = !shown
      ? "it has no src"
      : shown.startsWith("data:")
        ? "a data: address"
        : shown.slice(0, 200);
    throw new OptionError(
      `the browser cannot read this image (${place}): it is missing, damaged or of an unknown format`,
    );
  }
}

const HAVE_CURRENT_DATA = 2;

function checkVideo({ readyState, videoWidth }: HTMLVideoElement): void {
  if (readyState >= HAVE_CURRENT_DATA && videoWidth > 0) return;
  throw new OptionError('this video has no picture yet; wait for its event "loadeddata"');
}

/** Of a 2D canvas its own, else sRGB. */
function spaceOf(canvas: HTMLCanvasElement | OffscreenCanvas): ColourSpace {
  try {
    const context = canvas.getContext("2d") as CanvasRenderingContext2D | null;
    return context?.getContextAttributes().colorSpace === "display-p3" ? "display-p3" : "srgb";
  } catch {
    return "srgb"; // an older browser, or one that is no longer the page's
  }
}

async function bitmapOf(source: Exclude<Source, Picture | Pixels>, straight: boolean): Promise<ImageBitmap> {
  try {
    if (isA(source, "Blob") && (source as Blob).type.startsWith("image/svg"))
      return await drawnSvg(source as Blob);
    const options: ImageBitmapOptions = straight ? { premultiplyAlpha: "none" } : {};
    return await createImageBitmap(source, options).catch(async (error: unknown) => {
      if (!isA(source, "HTMLImageElement") || nameOf(error) !== "InvalidStateError") throw error;
      return await drawnAs(source as HTMLImageElement);
    });
  } catch (error) {
    if (error instanceof OptionError) throw error;
    if (nameOf(error) === "SecurityError") throw unreadable(error);
    throw new OptionError(
      `the browser cannot read this picture (${messageOf(error)}); every browser reads PNG, JPEG, WebP, GIF, BMP and SVG`,
    );
  }
}

/** Browsers make no bitmap of an SVG file, but draw an image of it. */
async function drawnSvg(file: Blob): Promise<ImageBitmap> {
  if (typeof document === "undefined")
    throw new OptionError("a worker cannot draw an SVG file; give the file to the library in the page");
  const image = new Image();
  const url = URL.createObjectURL(file);
  try {
    image.src = url;
    await decoded(image);
    [image.width, image.height] = [image.naturalWidth || 300, image.naturalHeight || 150]; // as pages show it
    return await drawnAs(image);
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** An image in the size of its element: an SVG file may have no size of its own. */
async function drawnAs(image: HTMLImageElement): Promise<ImageBitmap> {
  const { width, height } = image;
  if (!width || !height)
    throw new OptionError("this image has no size; give the element a width and a height");
  const canvas = canvasOf(width, height);
  contextOf(canvas, "srgb").drawImage(image, 0, 0, width, height);
  return await createImageBitmap(canvas);
}

/** @throws OptionError what was drawn from another site must not be read */
async function checkReadable(bitmap: ImageBitmap): Promise<void> {
  try {
    const context = contextOf(canvasOf(1, 1), "srgb");
    // one pixel of it: what is on the GPU stays there
    const one = await createImageBitmap(bitmap, 0, 0, 1, 1);
    context.drawImage(one, 0, 0);
    one.close();
    context.getImageData(0, 0, 1, 1);
  } catch (error) {
    bitmap.close();
    throw unreadable(error);
  }
}

function unreadable(error: unknown): OptionError {
  if (nameOf(error) !== "SecurityError")
    return new OptionError(`the browser cannot read this picture: ${messageOf(error)}`);
  return new OptionError(
    "this picture is from another site, and the browser does not let the page read it; its server must send " +
      '"Access-Control-Allow-Origin", and the element needs crossorigin="anonymous"',
  );
}

function nameOf(error: unknown): string {
  return typeof error === "object" && error !== null && "name" in error ? String(error.name) : "";
}
