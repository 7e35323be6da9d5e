/** `Upscaler` in a browser: what a page calls, whichever thread computes. */
import "./images/elements.js";
import type { BackendName } from "./engine/backend.js";
import { builtIn } from "./models/builtin.js";
import type { Bytes } from "./models/bytes.js";
import {
  canvasOf,
  checkDrawable,
  checkFormat,
  contextOf,
  drawn,
  encode,
  hasOffscreen,
  type BlobFormat,
} from "./images/canvas.js";
import type { ColourSpace } from "./images/colour-space.js";
import { exifOf, withExtras } from "./images/containers.js";
import { EsrganError, messageOf, OptionError, typeOf } from "./errors.js";
import { SAVED } from "./models/indexeddb.js";
import type { ModelInfo } from "./models/manifest.js";
import type {
  Account,
  FetchFunction,
  Hooks,
  LoadProgress,
  ModelRequest,
  SessionOptions,
  Settings,
} from "./options.js";
import type { Picture } from "./images/pixels.js";
import { MANIFEST, type FileMap } from "./models/places.js";
import { watchPolicy } from "./threads/policy.js";
import type { Origin, Runner, RunnerHooks, RunnerOptions } from "./threads/protocol.js";
import { targetSize, type Size } from "./images/target-size.js";
import { toPicture, toPortable, type Source } from "./images/sources.js";
import type { EngineName } from "./engine/ways.js";

/**
 * Where the model is: the address of its model.json (also a signed one, or `indexeddb://name` for a model that TF.js saved);
 * the files of its folder; or an object with the address or the content of each file by its name. The default is
 * esrgan-lite-x4, the model that comes with the package.
 */
export type ModelSource =
  string | URL | Iterable<File> | Readonly<Record<string, string | URL | Blob | Bytes>>;

export interface LoadOptions extends SessionOptions {
  /** Whether to keep downloaded models in the browser's Cache API. Default: true. */
  readonly cache?: boolean | undefined;
  /** Headers and credentials for fetching the model. */
  readonly request?: ModelRequest | undefined;
  /** Fetches the model in place of the browser's `fetch`, in this thread. */
  readonly fetch?: FetchFunction | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The type of the result for each value of `output`. */
export interface Outputs {
  imagedata: ImageData;
  canvas: HTMLCanvasElement;
  /** For a canvas (`transferFromImageBitmap` or `drawImage`) or a texture. */
  bitmap: ImageBitmap;
  blob: Blob;
  raw: Picture;
}

export interface UpscaleOptions<O extends keyof Outputs = "imagedata"> extends Settings, BlobFormat, Hooks {
  /** The type of the result. Default: "imagedata". */
  readonly output?: O | undefined;
  /** Colour space of the result. Default: that of the ImageData or canvas that is given, and sRGB for other pictures. */
  readonly colorSpace?: ColourSpace | undefined;
}

export interface UpscaleResult<I = ImageData> extends Account {
  readonly image: I;
  readonly width: number;
  readonly height: number;
}

export abstract class BaseUpscaler {
  protected constructor(private readonly runner: Runner) {}

  /** What model.json says about the model. */
  get info(): ModelInfo {
    return this.runner.info;
  }

  /** The backend in use. */
  get backend(): BackendName {
    return this.runner.backend;
  }

  /** The engine in use. */
  get engine(): EngineName {
    return this.runner.engine;
  }

  /** Why this backend and this engine were chosen, and not others. */
  get reason(): string {
    return this.runner.reason;
  }

  /**
   * Enlarge a picture; several calls wait for each other.
   *
   * @param source the picture; it is not changed
   * @throws OptionError, OutOfMemoryError, NonFiniteError, the signal's reason
   */
  async upscale<O extends keyof Outputs = "imagedata">(
    source: Source,
    options: UpscaleOptions<O> = {},
  ): Promise<UpscaleResult<Outputs[O]>> {
    const { signal, onTile, onProgress, output = "imagedata", type, quality, background } = options;
    signal?.throwIfAborted();
    checkOutput(output, options);
    const { tile, alpha, scale, width, height } = options;
    const settings = { tile, alpha, scale, width, height };
    const given = await toPortable(source, options.colorSpace);
    // a worker has no canvas where the page has none but its own
    const portable = hasOffscreen() ? given : { ...toPicture(given), colorSpace: given.colorSpace };
    const size = targetSize(portable, this.info.scale, settings);
    const isPng = output === "blob" && (type ?? "image/png") === "image/png";
    if (output !== "raw" && !(isPng && background === undefined)) checkDrawable(size);
    const { colorSpace } = portable;
    const encoding = output === "blob" ? { type, quality, background, colorSpace } : undefined;
    const request = {
      settings,
      encode: hasOffscreen() ? encoding : undefined,
      onGpu: (output === "canvas" || output === "bitmap") && onTile === undefined,
      wantsTiles: onTile !== undefined,
      wantsProgress: onProgress !== undefined,
    };
    const { content, ...account } = await this.runner.upscale(portable, request, {
      signal,
      onTile,
      onProgress,
    });
    if (!encoding) {
      const image = await present(content as Picture | ImageBitmap, output, colorSpace);
      return { ...account, image: image as Outputs[O] };
    }
    const file = content instanceof Blob ? content : await encode(content as Picture, encoding);
    return { ...account, image: (await withExif(file, source, size)) as Outputs[O] };
  }

  /** Free everything: the model's tensors, and the worker. */
  async dispose(): Promise<void> {
    await this.runner.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

/** @throws OptionError before anything is computed */
function checkOutput(output: keyof Outputs, format: BlobFormat): void {
  if (!["imagedata", "canvas", "bitmap", "blob", "raw"].includes(output)) {
    throw new OptionError(
      `output must be "imagedata", "canvas", "bitmap", "blob" or "raw", not ${JSON.stringify(output)}`,
    );
  }
  if (output === "canvas" && typeof document === "undefined")
    throw new OptionError(
      'output "canvas" works only in a page; in a worker choose "imagedata", "bitmap", "blob" or "raw"',
    );
  if (output === "blob") checkFormat(format);
}

/**
 * Do what imports parts of the library, and say what to do where that is not allowed.
 *
 * @throws EsrganError this is a service worker, which imports nothing once it has started
 */
export async function withParts<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!("ServiceWorkerGlobalScope" in globalThis) || !(error instanceof TypeError)) throw error;
    throw new EsrganError(
      `a service worker cannot import the library's parts (${messageOf(error)}); bundle the library into one file, for ` +
        "example with esbuild, or load it in a page or in an extension's offscreen document",
    );
  }
}

/** Sort options out, and make addresses whole: a worker has another base. */
export async function prepare(
  source: ModelSource | undefined,
  options: LoadOptions,
  wasmFiles: Readonly<Record<string, string>>,
): Promise<[Origin, RunnerOptions, RunnerHooks]> {
  const { signal, onProgress, backend, engine, memory, cache = true, wasmPaths, request } = options;
  signal?.throwIfAborted();
  watchPolicy();
  const origin = await originOf(source);
  const paths =
    wasmPaths === undefined
      ? wasmFiles
      : typeof wasmPaths === "string" || wasmPaths instanceof URL
        ? folder(whole(wasmPaths))
        : Object.fromEntries(Object.entries(wasmPaths).map(([name, address]) => [name, whole(address)]));
  const runner = { backend, engine, memory, cache, request, wasmPaths: paths };
  return [origin, runner, { signal, onProgress }];
}

async function originOf(source: ModelSource | undefined): Promise<Origin> {
  if (source === undefined) return await builtIn();
  if (typeof source === "string" || source instanceof URL) {
    return SAVED.test(String(source)) ? String(source) : whole(source);
  }
  if (typeof source !== "object" || (source as unknown) === null)
    throw new OptionError(
      `the model must be the address of its ${MANIFEST} or the files of its folder, not ${typeOf(source)}`,
    );
  if (Symbol.iterator in source) {
    const files = Object.fromEntries(Array.from(source as Iterable<File>, (file) => [file.name, file]));
    return { name: `${MANIFEST} among the files given`, files };
  }
  const files: FileMap = Object.fromEntries(
    Object.entries(source).map(([name, file]) => [
      name,
      typeof file === "string" || file instanceof URL ? whole(file) : file,
    ]),
  );
  return { name: `${MANIFEST} among the files given`, files };
}

/** Absolute, from the page's or the worker's own address. */
export function whole(address: string | URL): string {
  const base = typeof document === "undefined" ? location.href : document.baseURI;
  try {
    return new URL(address, base).href;
  } catch {
    throw new OptionError(
      `${String(address)} is not an address that can be used from ${base.slice(0, 200)}; give a complete one, with https://`,
    );
  }
}

const folder = (address: string) => (address.endsWith("/") ? address : `${address}/`);

/** What a camera wrote into the file that was given is in the result too. */
async function withExif(file: Blob, source: Source, size: Size): Promise<Blob> {
  if (!(source instanceof Blob)) return file;
  let exif: Bytes | undefined;
  try {
    exif = exifOf(new Uint8Array(await source.arrayBuffer()));
  } catch {
    // what is broken in it is not carried
  }
  if (!exif) return file;
  return new Blob([withExtras(new Uint8Array(await file.arrayBuffer()), { exif }, size)], {
    type: file.type,
  });
}

async function present(
  content: Picture | ImageBitmap,
  output: keyof Outputs,
  colorSpace: ColourSpace,
): Promise<Outputs[keyof Outputs]> {
  const { width, height } = content;
  const element = () => canvasOf(width, height, "element") as HTMLCanvasElement;
  if (!("data" in content)) {
    if (output === "bitmap") return content;
    try {
      const canvas = element();
      contextOf(canvas, colorSpace).drawImage(content, 0, 0);
      return canvas;
    } finally {
      content.close();
    }
  }
  if (output === "raw") return content;
  if (output === "canvas") return drawn(content, element(), { colorSpace }) as HTMLCanvasElement;
  const image = new ImageData(content.data, width, height, { colorSpace });
  return output === "bitmap" ? await createImageBitmap(image, { premultiplyAlpha: "none" }) : image;
}
