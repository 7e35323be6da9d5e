/**
 * `tfjs-esrgan/inline`: the model runs in the page's own thread, with the backends that were imported
 * (`import "tfjs-esrgan/wasm"` and the like), and no other code is loaded.
 */
import { localRunner } from "./local.js";
import { BaseUpscaler, prepare, type LoadOptions } from "./upscaler.js";

export * from "./public.js";
export type { Source } from "./sources.js";
export type { LoadOptions, Outputs, UpscaleOptions, UpscaleResult } from "./upscaler.js";

export class Upscaler extends BaseUpscaler {
  /** As `load` of the main entry, without a worker. */
  static async load(source: string | URL | Iterable<File>, options: LoadOptions = {}): Promise<Upscaler> {
    options.signal?.throwIfAborted();
    return new Upscaler(await localRunner(...prepare(source, options)));
  }
}
