/** `tfjs-esrgan` in a browser: the model runs in a worker, with the best backend that works. */
import { remoteRunner } from "./remote.js";
import { BaseUpscaler, prepare, type LoadOptions } from "./upscaler.js";

export * from "./public.js";
export type { Source } from "./sources.js";
export type { LoadOptions, Outputs, UpscaleOptions, UpscaleResult } from "./upscaler.js";

export interface ThreadedLoadOptions extends LoadOptions {
  /** true (unless given): a worker of the library's own; false: the page's thread; or a worker that calls `serve()`. */
  readonly worker?: boolean | Worker | undefined;
}

export class Upscaler extends BaseUpscaler {
  /**
   * Load a model.
   *
   * @param source address of model.json, or the files of the model's folder
   * @throws DownloadError, ModelError, IntegrityError, BackendError, OptionError, the signal's reason
   */
  static async load(
    source: string | URL | Iterable<File>,
    options: ThreadedLoadOptions = {},
  ): Promise<Upscaler> {
    const { worker = true, ...rest } = options;
    const [origin, runnerOptions, hooks] = prepare(source, rest);
    hooks.signal?.throwIfAborted();
    if (worker === false) {
      const { localRunner } = await import("./all.js");
      return new Upscaler(await localRunner(origin, runnerOptions, hooks));
    }
    const thread =
      worker === true ? new Worker(new URL("./worker.js", import.meta.url), { type: "module" }) : worker;
    return new Upscaler(await remoteRunner(thread, origin, runnerOptions, hooks));
  }
}
