/**
 * `Upscaler` for Node: pictures are RGBA bytes, and models come from a folder or from the web.
 *
 * @module tfjs-esrgan/node
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { registerBackend, type BackendName } from "./engine/backend.js";
import type { ShardCache } from "./models/cache.js";
import { builtIn } from "./models/builtin.js";
import type { Bytes } from "./models/bytes.js";
import { DownloadError, messageOf, OptionError, typeOf } from "./errors.js";
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
import { pictureOf, type Picture, type Pixels } from "./images/pixels.js";
import { filesPlace, MANIFEST, webPlace, type Place, type WebOptions } from "./models/places.js";
import { Session } from "./session.js";
import { registerEngine, type EngineName } from "./engine/ways.js";

export * from "./public.js";

export interface NodeLoadOptions extends SessionOptions {
  /** Folder in which downloaded models are kept; false: none are kept. Default: `tfjs-esrgan` in the user's cache folder. */
  readonly cache?: string | false | undefined;
  /** Headers and credentials for fetching the model. */
  readonly request?: ModelRequest | undefined;
  /** Fetches the model in place of Node's `fetch`. */
  readonly fetch?: FetchFunction | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface NodeResult extends Account {
  readonly image: Picture;
}

const require = createRequire(import.meta.url);
const WITHOUT_PATHS = "leave wasmPaths out to use the files of @tensorflow/tfjs-backend-wasm";

registerBackend("webgpu", async () => (await import("./engine/backends/webgpu.js")).webgpu);
registerEngine("webgpu", async (model, options) => {
  const { startWebgpu, useProvider } = await import("./engine/webgpu/webgpu.js");
  useProvider((await import("./engine/webgpu/node.js")).nodeProvider);
  return await startWebgpu(model, options);
});
registerBackend("tensorflow", async () => (await import("./engine/backends/tensorflow.js")).loadTensorflow());
registerBackend("wasm", async () => (await import("./engine/backends/wasm.js")).wasm);
registerEngine("wasm", async (model) => {
  const { startKernels, useSpawner } = await import("./engine/kernels/wasm.js");
  useSpawner(await (await import("./engine/kernels/node.js")).nodeSpawner());
  return await startKernels(model);
});
registerBackend("cpu", async () => (await import("./engine/backends/cpu.js")).cpu);

export class Upscaler {
  private constructor(private readonly session: Session) {}

  /**
   * Load a model.
   *
   * @param source path or address of the model's folder or of its model.json; default: the model that comes with the package
   * @throws DownloadError, ModelError, IntegrityError, BackendError, OptionError
   */
  static async load(source?: string | URL, options: NodeLoadOptions = {}): Promise<Upscaler> {
    // TF.js then says nothing about its other packages on stderr
    tf.env().set("PROD", true);
    const { cache, onProgress, signal, request, fetch, wasmPaths, ...rest } = options;
    signal?.throwIfAborted();
    const place = await placeOf(source, { request, fetch });
    const session = await Session.load(
      place,
      { ...rest, wasmPaths: wasmFiles(wasmPaths) },
      {
        cache: cache === false ? undefined : folderCache(cache ?? defaultCache()),
        signal,
        onProgress,
      },
    );
    return new Upscaler(session);
  }

  get info(): ModelInfo {
    return this.session.info;
  }

  get backend(): BackendName {
    return this.session.backend;
  }

  get engine(): EngineName {
    return this.session.engineName;
  }

  get reason(): string {
    return this.session.reason;
  }

  /**
   * Enlarge a picture; several calls wait for each other.
   *
   * @param source RGBA with 8 bits per channel, or floats from 0 to 1; it is not changed
   * @throws OptionError, OutOfMemoryError, NonFiniteError, the signal's reason
   */
  async upscale(source: Pixels, options: Settings & Hooks = {}): Promise<NodeResult> {
    options.signal?.throwIfAborted();
    if (typeof source !== "object" || (source as unknown) === null || !("data" in source))
      throw new OptionError(
        `a picture must be { width, height, data } with RGBA data, not ${typeOf(source)}; ` +
          "to enlarge a file, use the command `tfjs-esrgan upscale`",
      );
    const { picture, ...account } = await this.session.upscale(pictureOf(source), options, options);
    return { image: picture, ...account };
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

async function placeOf(source: string | URL | undefined, options: WebOptions): Promise<Place> {
  if (source === undefined) {
    const { name, files } = await builtIn();
    return filesPlace(name, files);
  }
  if (typeof source !== "string" && !(source instanceof URL))
    throw new OptionError(
      `the model must be the path or address of its folder or of its ${MANIFEST}, not ${String(source)}`,
    );
  const text = String(source);
  if (/^https?:/.test(text)) return webPlace(text, options);
  const path = source instanceof URL || text.startsWith("file:") ? new URL(text) : pathToFileURL(text);
  const base = path.pathname.endsWith(".json") ? path : new URL(MANIFEST, path.href.replace(/\/?$/, "/"));
  return {
    name: text,
    remote: false,
    async read(file, signal): Promise<Bytes> {
      const address = file === MANIFEST ? base : new URL(file, base);
      try {
        return new Uint8Array(await readFile(address, { signal }));
      } catch (error) {
        signal?.throwIfAborted();
        throw new DownloadError(
          `the model ${text} cannot be read (${messageOf(error)}); give the folder that \`esrgan convert --to tfjs\` wrote`,
        );
      }
    },
  };
}

/** @throws OptionError the files do not exist: once TF.js has tried a wrong place, it accepts no other */
function wasmFiles(given: SessionOptions["wasmPaths"]): string | Record<string, string> {
  if (given === undefined) return dirname(require.resolve("@tensorflow/tfjs-backend-wasm")) + sep;
  const path = (place: string) => (place.startsWith("file:") ? fileURLToPath(place) : place);
  if (typeof given === "object" && !(given instanceof URL)) {
    const files = Object.fromEntries(Object.entries(given).map(([name, place]) => [name, path(place)]));
    const missing = Object.values(files).find((file) => !existsSync(file));
    if (missing !== undefined)
      throw new OptionError(`wasmPaths names ${missing}, which does not exist; ${WITHOUT_PATHS}`);
    return files;
  }
  const folder = path(String(given)).replace(/[\\/]?$/, sep);
  if (!existsSync(join(folder, "tfjs-backend-wasm-simd.wasm")))
    throw new OptionError(
      `wasmPaths is ${folder}, which does not contain TF.js's .wasm files; ${WITHOUT_PATHS}`,
    );
  return folder;
}

function defaultCache(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "tfjs-esrgan");
}

/** A file a shard, written beside its name and renamed. */
export function folderCache(folder: string): ShardCache {
  return {
    async get(sha256) {
      try {
        return new Uint8Array(await readFile(join(folder, sha256)));
      } catch {
        return undefined;
      }
    },
    async put(sha256, data) {
      const temporary = join(folder, `.${sha256}.${process.pid}`);
      try {
        await mkdir(folder, { recursive: true });
        await writeFile(temporary, data);
        await rename(temporary, join(folder, sha256));
      } catch {
        // a folder that cannot be written to, or a full disk: nothing is kept, and nothing lost
        await rm(temporary, { force: true }).catch(() => undefined);
      }
    },
    async delete(sha256) {
      await rm(join(folder, sha256), { force: true });
    },
  };
}
