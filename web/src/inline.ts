/**
 * `tfjs-esrgan/inline`: the model runs in the page's own thread, with the backends that were imported
 * (`import "tfjs-esrgan/wasm"`, for example). No other code is loaded.
 *
 * @module tfjs-esrgan/inline
 */
import { localRunner } from "./models/local.js";
import { BaseUpscaler, prepare, type LoadOptions, type ModelSource } from "./upscaler.js";

export * from "./public.js";
export * from "./public-page.js";

export class Upscaler extends BaseUpscaler {
  /** The same as `load` of the main entry, but without a worker. */
  static async load(source?: ModelSource, options: LoadOptions = {}): Promise<Upscaler> {
    const [place, runnerOptions, hooks] = await prepare(source, options, {});
    const { fetch } = options;
    const origin = fetch
      ? await (await import("./models/fetched.js")).fetchedHere(place, runnerOptions, fetch, hooks)
      : place;
    return new Upscaler(await localRunner(origin, runnerOptions, hooks));
  }
}
