/** Results into files: format, quality, what lies under transparency; one, or all in a zip. */
import { Zip, ZipPassThrough } from "fflate";
import { exifOf, withExtras } from "../src/images/containers.js";
import { fits } from "./limits.js";
import { element } from "./page.js";
import type { Item } from "./queue.js";

type Type = "image/png" | "image/jpeg" | "image/webp";

export class Format {
  private readonly quality = element("quality", HTMLInputElement);
  private readonly colour = element("colour", HTMLInputElement);
  private readonly group = element("format", HTMLElement);

  /** @param onChange told when anything is chosen otherwise */
  constructor(onChange: () => void) {
    const changed = () => {
      this.refresh();
      onChange();
    };
    for (const one of [this.group, this.quality, this.colour]) one.addEventListener("input", changed);
    this.refresh();
  }

  get type(): Type {
    return this.group.querySelector<HTMLInputElement>("input:checked")!.value as Type;
  }

  get name(): string {
    return { "image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WebP" }[this.type];
  }

  get extension(): string {
    return { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp" }[this.type];
  }

  /** The colour under transparency; undefined where the format keeps that. */
  get background(): string | undefined {
    return this.type === "image/jpeg" ? this.colour.value : undefined;
  }

  private refresh(): void {
    element("quality-field", HTMLElement).hidden = this.type === "image/png";
    element("colour-field", HTMLElement).hidden = this.type !== "image/jpeg";
    element("quality-value", HTMLOutputElement).value = this.quality.value;
  }

  /**
   * A result as the file that was asked for.
   *
   * @throws Error with a text for the visitor
   */
  async encode({ file, outcome }: Item): Promise<Blob> {
    const { type, background } = this;
    if (!outcome) throw new Error("There is no result yet.");
    if (type === "image/png") return outcome.png;
    if (!fits(outcome.width, outcome.height))
      throw new Error(`It cannot be written as ${this.name}: it is too large for that. Choose PNG.`);
    const bitmap = await createImageBitmap(outcome.png);
    const canvas = document.createElement("canvas");
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    const context = canvas.getContext("2d")!;
    if (background !== undefined) {
      context.fillStyle = background;
      context.fillRect(0, 0, canvas.width, canvas.height);
    }
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    const quality = Number(this.quality.value) / 100;
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, quality));
    if (blob?.type !== type) {
      const longest = Math.max(canvas.width, canvas.height);
      const why =
        type === "image/webp" && longest > 16383 ? "WebP holds 16383 pixels a side" : "this browser cannot";
      throw new Error(`It cannot be written as ${this.name}: ${why}. Choose PNG.`);
    }
    return await withCamera(blob, file, canvas);
  }
}

/** What the camera wrote into the photo is in the result too. */
async function withCamera(blob: Blob, photo: Blob, size: { width: number; height: number }): Promise<Blob> {
  try {
    const exif = exifOf(new Uint8Array(await photo.arrayBuffer()));
    if (!exif) return blob;
    const bytes = withExtras(new Uint8Array(await blob.arrayBuffer()), { exif }, size);
    return new Blob([bytes], { type: blob.type });
  } catch {
    return blob; // what is broken in it is not carried
  }
}

/** A name for a result: that of the photo, and how many times as large it is. */
export function resultName({ file, size, outcome }: Item, extension: string): string {
  const stem = file.name.replace(/\.\w+$/, "") || "photo";
  const times = size && outcome ? outcome.width / size.width : 1;
  return `${stem}-${Number(times.toFixed(2))}x.${extension}`;
}

/** All results in one file; pictures are compressed already, so nothing is compressed again. */
export async function zipped(
  items: readonly Item[],
  format: Format,
  told: (done: number) => void,
): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let failure: Error | undefined;
  const zip = new Zip((error, part) => {
    if (error) failure = error;
    else parts.push(part);
  });
  const taken = new Set<string>();
  for (const [index, item] of items.entries()) {
    told(index);
    const name = folderOf(item.file) + resultName(item, format.extension);
    const entry = new ZipPassThrough(free(name, taken));
    zip.add(entry);
    entry.push(new Uint8Array(await (await format.encode(item)).arrayBuffer()), true);
  }
  zip.end();
  if (failure) throw failure;
  return new Blob(parts, { type: "application/zip" });
}

/** Where a picture lies in the folder that was chosen. */
const folderOf = ({ webkitRelativePath }: File) => webkitRelativePath.replace(/[^/]*$/, "");

/** Two photos of one name are two files. */
function free(name: string, taken: Set<string>): string {
  const dot = name.lastIndexOf(".");
  let free = name;
  for (let number = 2; taken.has(free.toLowerCase()); number++)
    free = `${name.slice(0, dot)} (${number})${name.slice(dot)}`;
  taken.add(free.toLowerCase());
  return free;
}
