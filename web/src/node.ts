/** `Upscaler` in Node: pictures as RGBA bytes; models from a folder or from the web. */
import { createRequire } from "node:module";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { registerBackend, type BackendName } from "./backend.js";
import type { ShardCache } from "./cache.js";
import { webPlace, type Place } from "./download.js";
import { DownloadError, messageOf } from "./errors.js";
import type { ModelInfo } from "./manifest.js";
import type { Picture } from "./pixels.js";
import {
  Session,
  type Account,
  type Hooks,
  type LoadProgress,
  type SessionOptions,
  type Settings,
} from "./session.js";
import { registerEngine, type EngineName } from "./ways.js";

export * from "./public.js";

export interface NodeLoadOptions extends SessionOptions {
  /** Folder for what is fetched; false: none; unless given, `tfjs-esrgan` in the user's cache. */
  readonly cache?: string | false | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface NodeResult extends Account {
  readonly image: Picture;
}

const require = createRequire(import.meta.url);

registerBackend("webgpu", async () => (await import("./backends/webgpu.js")).webgpu);
registerBackend("tensorflow", async () => (await import("./backends/tensorflow.js")).loadTensorflow());
registerBackend("wasm", async () => (await import("./backends/wasm.js")).wasm);
registerEngine("wasm", async (model) => {
  const { startKernels, useSpawner } = await import("./kernels/wasm.js");
  useSpawner(await (await import("./kernels/node.js")).nodeSpawner());
  return await startKernels(model);
});
registerBackend("cpu", async () => (await import("./backends/cpu.js")).cpu);

export class Upscaler {
  private constructor(private readonly session: Session) {}

  /**
   * Load a model.
   *
   * @param source folder or model.json, or its address on the web
   * @throws DownloadError, ModelError, IntegrityError, BackendError, OptionError
   */
  static async load(source: string | URL, options: NodeLoadOptions = {}): Promise<Upscaler> {
    // TF.js then says nothing about its other packages on stderr
    tf.env().set("PROD", true);
    const { cache, onProgress, signal, ...rest } = options;
    const wasmPaths = rest.wasmPaths ?? dirname(require.resolve("@tensorflow/tfjs-backend-wasm")) + sep;
    const session = await Session.load(
      placeOf(source),
      { ...rest, wasmPaths },
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
   * @param source RGBA, 8 bits; not changed
   * @throws OptionError, OutOfMemoryError, NonFiniteError, the signal's reason
   */
  async upscale(source: Picture, options: Settings & Hooks = {}): Promise<NodeResult> {
    const { picture, ...account } = await this.session.upscale(source, options, options);
    return { image: picture, ...account };
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

function placeOf(source: string | URL): Place {
  const text = String(source);
  if (/^https?:/.test(text)) return webPlace(text);
  const path = source instanceof URL ? source : pathToFileURL(text);
  const base = path.pathname.endsWith(".json") ? path : new URL("model.json", path.href.replace(/\/?$/, "/"));
  return {
    name: text,
    remote: false,
    async read(file, signal) {
      const address = file === "model.json" ? base : new URL(file, base);
      try {
        return new Uint8Array(await readFile(address, { signal }));
      } catch (error) {
        signal?.throwIfAborted();
        throw new DownloadError(`${text} is no model: ${messageOf(error)}`);
      }
    },
  };
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
      await mkdir(folder, { recursive: true });
      const temporary = join(folder, `.${sha256}.${process.pid}`);
      await writeFile(temporary, data);
      await rename(temporary, join(folder, sha256));
    },
    async delete(sha256) {
      await rm(join(folder, sha256), { force: true });
    },
  };
}
