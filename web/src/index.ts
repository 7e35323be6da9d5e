/**
 * `tfjs-esrgan` in a browser: the model runs in a worker, with the best backend that works.
 *
 * @module tfjs-esrgan
 */
import { remoteRunner, WorkerMissing } from "./threads/remote.js";
import { ownWorker, workerAt } from "./workers.js";
import { BaseUpscaler, prepare, whole, withParts, type LoadOptions, type ModelSource } from "./upscaler.js";

export * from "./public.js";
export * from "./public-page.js";

export interface ThreadedLoadOptions extends LoadOptions {
  /**
   * Where the model runs. true (default): in a worker that the library starts, or in the page's thread if no worker starts.
   * false: in the page's thread. An address: in a worker with the package's worker.js from there. A worker of yours must call
   * `serve()`.
   */
  readonly worker?: boolean | string | URL | Worker | undefined;
}

export class Upscaler extends BaseUpscaler {
  /**
   * Load a model.
   *
   * @param source default: the model that comes with the package
   * @throws DownloadError, ModelError, IntegrityError, BackendError, OptionError, the signal's reason
   */
  static async load(source?: ModelSource, options: ThreadedLoadOptions = {}): Promise<Upscaler> {
    return await withParts(() => Upscaler.start(source, options));
  }

  private static async start(
    source: ModelSource | undefined,
    options: ThreadedLoadOptions,
  ): Promise<Upscaler> {
    const { worker = true, ...rest } = options;
    const [place, runnerOptions, hooks] = await prepare(source, rest, wasmFiles());
    const { fetch } = rest;
    const origin = fetch
      ? await (await import("./models/fetched.js")).fetchedHere(place, runnerOptions, fetch, hooks)
      : place;
    const here = async (why: string | undefined) => {
      const { localRunner } = await import("./all.js");
      const note = why && `in the page's thread, because ${why}`;
      return new Upscaler(await localRunner(origin, { ...runnerOptions, note }, hooks));
    };
    if (worker === false) return await here(undefined);
    if (typeof worker === "object" && !(worker instanceof URL))
      return new Upscaler(await remoteRunner(worker, origin, runnerOptions, hooks));
    try {
      const thread = worker === true ? ownWorker() : workerAt(whole(worker));
      return new Upscaler(await remoteRunner(thread, origin, runnerOptions, hooks));
    } catch (error) {
      if (!(error instanceof WorkerMissing) || worker !== true) throw error;
      return await here(error.message);
    }
  }
}

/** TF.js's files beside this one; each is written out, so that bundlers find and keep it. */
function wasmFiles(): Record<string, string> {
  try {
    return {
      "tfjs-backend-wasm.wasm": new URL("./wasm/tfjs-backend-wasm.wasm", import.meta.url).href,
      "tfjs-backend-wasm-simd.wasm": new URL("./wasm/tfjs-backend-wasm-simd.wasm", import.meta.url).href,
      "tfjs-backend-wasm-threaded-simd.wasm": new URL(
        "./wasm/tfjs-backend-wasm-threaded-simd.wasm",
        import.meta.url,
      ).href,
    };
  } catch {
    // a bundler's script that does not know its own address
    return Object.fromEntries(
      ["", "-simd", "-threaded-simd"].map((kind) => {
        const name = `tfjs-backend-wasm${kind}.wasm`;
        return [name, whole(`wasm/${name}`)];
      }),
    );
  }
}
