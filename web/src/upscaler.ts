/** `Upscaler` in a browser: what a page calls, whichever thread computes. */
import type { BackendName } from "./backend.js";
import { OptionError } from "./errors.js";
import type { ModelInfo } from "./manifest.js";
import type { Picture } from "./pixels.js";
import type { Origin, Runner, RunnerHooks, RunnerOptions } from "./protocol.js";
import type { Account, LoadProgress, SessionOptions, Settings, TileEvent } from "./session.js";
import type { EngineName } from "./ways.js";
import { checkDrawable, toPortable, type BlobFormat, type Source } from "./sources.js";

export interface LoadOptions extends SessionOptions {
  /** Keep what is fetched in the browser's Cache API; true unless given. */
  readonly cache?: boolean | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Types of the result by the name of the output. */
export interface Outputs {
  imagedata: ImageData;
  canvas: HTMLCanvasElement;
  blob: Blob;
  raw: Picture;
}

export interface UpscaleOptions<O extends keyof Outputs = "imagedata"> extends Settings, BlobFormat {
  /** "imagedata" unless given. */
  readonly output?: O | undefined;
  readonly onTile?: ((tile: TileEvent) => void) | undefined;
  /** Told the share that is done, from 0 to 1, more often than `onTile`. */
  readonly onProgress?: ((share: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface UpscaleResult<I = ImageData> extends Account {
  readonly image: I;
  readonly width: number;
  readonly height: number;
}

export abstract class BaseUpscaler {
  protected constructor(private readonly runner: Runner) {}

  /** What the model says of itself. */
  get info(): ModelInfo {
    return this.runner.info;
  }

  /** The backend that runs. */
  get backend(): BackendName {
    return this.runner.backend;
  }

  /** The engine that computes on it. */
  get engine(): EngineName {
    return this.runner.engine;
  }

  /** Why these, and why not others. */
  get reason(): string {
    return this.runner.reason;
  }

  /**
   * Enlarge a picture; several calls wait for each other.
   *
   * @param source is not changed
   * @throws OptionError, OutOfMemoryError, NonFiniteError, the signal's reason
   */
  async upscale<O extends keyof Outputs = "imagedata">(
    source: Source,
    options: UpscaleOptions<O> = {},
  ): Promise<UpscaleResult<Outputs[O]>> {
    const { signal, onTile, onProgress, output = "imagedata", tile, alpha, type, quality } = options;
    signal?.throwIfAborted();
    if (!["imagedata", "canvas", "blob", "raw"].includes(output)) {
      throw new OptionError(`output is imagedata, canvas, blob or raw, not ${JSON.stringify(output)}`);
    }
    const portable = await toPortable(source);
    if (output !== "raw") checkDrawable(portable.width * this.info.scale, portable.height * this.info.scale);
    const request = {
      settings: { tile, alpha },
      encode: output === "blob" ? { type, quality } : undefined,
      wantsTiles: onTile !== undefined,
      wantsProgress: onProgress !== undefined,
    };
    const { content, ...account } = await this.runner.upscale(portable, request, {
      signal,
      onTile,
      onProgress,
    });
    return { ...account, image: present(content, output) as Outputs[O] };
  }

  /** Free everything: the model's tensors, and the worker. */
  async dispose(): Promise<void> {
    await this.runner.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

/** Sort options out, and make addresses whole: a worker has another base. */
export function prepare(
  source: string | URL | Iterable<File>,
  options: LoadOptions,
): [Origin, RunnerOptions, RunnerHooks] {
  const { signal, onProgress, backend, engine, memory, cache = true, wasmPaths } = options;
  const whole = (address: string | URL) => new URL(address, document.baseURI).href;
  const origin = typeof source === "string" || source instanceof URL ? whole(source) : [...source];
  const runner = { backend, engine, memory, cache, wasmPaths: whole(wasmPaths ?? "./") };
  return [origin, runner, { signal, onProgress }];
}

function present(content: Picture | Blob, output: keyof Outputs): Outputs[keyof Outputs] {
  if (content instanceof Blob || output === "raw") return content;
  const image = new ImageData(content.data, content.width, content.height);
  if (output === "imagedata") return image;
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  const context = canvas.getContext("2d");
  if (!context)
    throw new OptionError(`the browser has no memory for a canvas of ${image.height}x${image.width} pixels`);
  context.putImageData(image, 0, 0);
  return canvas;
}
