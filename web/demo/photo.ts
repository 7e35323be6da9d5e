/** Files of visitors into pictures, by whatever the browser can read. */
import { made } from "./page.js";

export interface Photo {
  readonly bitmap: ImageBitmap;
  /** What the library is given: the file, so that what the camera wrote is kept, or what was drawn of it. */
  readonly source: Blob | ImageBitmap;
  readonly transparent: boolean;
}

/** @throws Error with a text for the visitor */
export async function readPhoto(file: Blob): Promise<Photo> {
  if (!isSvg(file)) {
    try {
      const bitmap = await createImageBitmap(file);
      return { bitmap, source: file, transparent: isTransparent(bitmap, file) };
    } catch {
      // some formats are read for elements only, as HEIC by some releases of Safari
    }
  }
  const bitmap = await drawn(file);
  return { bitmap, source: bitmap, transparent: isTransparent(bitmap, file) };
}

const nameOf = (file: Blob) => (file instanceof File ? file.name : "");
const isSvg = (file: Blob) => file.type.startsWith("image/svg") || /\.svg$/i.test(nameOf(file));

async function drawn(file: Blob): Promise<ImageBitmap> {
  const image = new Image();
  const url = URL.createObjectURL(isSvg(file) ? new Blob([file], { type: "image/svg+xml" }) : file);
  try {
    image.src = url;
    await image.decode();
    // an SVG may tell no size: what pages show it with then
    const [resizeWidth, resizeHeight] = [image.naturalWidth || 300, image.naturalHeight || 150];
    return await createImageBitmap(image, { resizeWidth, resizeHeight });
  } catch {
    throw new Error(await complaint(file));
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function complaint(file: Blob): Promise<string> {
  const name = nameOf(file) || "This";
  if (file.size === 0) return `${name} is empty.`;
  const head = new TextDecoder("latin1").decode(await file.slice(0, 32).arrayBuffer());
  if (/^....ftyp(hei|hev|mif|msf)/s.test(head) || /\.hei[cf]$/i.test(name))
    return (
      `${name} is a HEIC photo, which this browser cannot open (Safari can). ` +
      "Save it as JPEG first, or let the phone's camera write “most compatible” files."
    );
  if (/^(II\*\0|MM\0\*)/.test(head))
    return `${name} is a TIFF or a raw photo, which browsers cannot open. Save it as PNG or JPEG first.`;
  return `${name} is no picture that this browser can open. PNG, JPEG, WebP, GIF, AVIF and SVG work.`;
}

const LOOK = 256; // pixels: in a reduced picture transparency is still seen

function isTransparent(bitmap: ImageBitmap, file: Blob): boolean {
  if (file.type === "image/jpeg") return false;
  const share = Math.min(1, LOOK / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * share)));
  const canvas = made("canvas", { width: width!, height: height! });
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0, width!, height!);
  const { data } = context.getImageData(0, 0, width!, height!);
  for (let at = 3; at < data.length; at += 4) if (data[at]! < 255) return true;
  return false;
}
