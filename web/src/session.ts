/** A loaded model and its queue of pictures: all that needs neither a page nor a worker. */
import type { ShardCache } from "./models/cache.js";
import { bleed } from "./images/alpha.js";
import type { BackendName, StartOptions } from "./engine/backend.js";
import { fetchModel, type Model } from "./models/download.js";
import { Engine } from "./engine/engine.js";
import { EsrganError, OptionError } from "./errors.js";
import type { ModelInfo } from "./models/manifest.js";
import type { Area } from "./tiling/mosaic.js";
import type { Account, AlphaMode, Hooks, LoadProgress, SessionOptions, Settings } from "./options.js";
import {
  checkPicture,
  hasAlpha,
  isFlat,
  isGray,
  planeOf,
  type Picture,
  type Plane,
} from "./images/pixels.js";
import type { Place } from "./models/places.js";
import { drawn, type Direct } from "./tiling/direct.js";
import { describePlan, makePlan, type Plan, type Tiling } from "./tiling/plan.js";
import { breathe, inTurn } from "./threads/queue.js";
import { imresize } from "./images/resample.js";
import { partsOf, Run, WithoutRows } from "./tiling/run.js";
import { targetSize, type Size } from "./images/target-size.js";
import { keepUniform } from "./images/uniform-alpha.js";
import type { EngineName } from "./engine/ways.js";

export interface LoadHooks {
  readonly cache?: ShardCache | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}

export interface Outcome extends Account {
  readonly picture: Picture;
}

export interface Drawn extends Account {
  readonly bitmap: ImageBitmap;
}

const DISPOSED = "this Upscaler was disposed; load a new one with Upscaler.load()";

export class Session {
  private open = true;

  private constructor(
    private readonly engine: Engine,
    private readonly reload: () => Promise<Model>,
  ) {}

  static async load(
    place: Place,
    options: Omit<SessionOptions, "wasmPaths"> & StartOptions,
    hooks: LoadHooks,
  ): Promise<Session> {
    const { cache, signal, onProgress } = hooks;
    const { memory } = options;
    if (memory !== undefined && !(memory > 0))
      throw new OptionError(`memory must be a number of bytes above 0, not ${memory}`);
    const tell = (phase: LoadProgress["phase"], share: number, bytes: number, totalBytes: number) =>
      onProgress?.({ phase, share, bytes, totalBytes });
    const model = await fetchModel(place, {
      cache,
      signal,
      progress: (bytes, total) => tell("download", total ? bytes / total : 1, bytes, total),
    });
    const { bytes } = model.manifest;
    tell("warm-up", 0, bytes, bytes);
    const start = {
      ...options,
      backend: options.backend ?? "auto",
      engine: options.engine ?? "auto",
      signal,
      memories: cache,
    } as const;
    const engine = await inTurn(() => Engine.start(model, start), signal);
    tell("warm-up", 1, bytes, bytes);
    return new Session(engine, () => fetchModel(place, { cache }));
  }

  get info(): ModelInfo {
    return this.engine.network.info;
  }

  get backend(): BackendName {
    return this.engine.way.backend;
  }

  get engineName(): EngineName {
    return this.engine.way.engine;
  }

  get reason(): string {
    return this.engine.reason;
  }

  /** Upscale a picture; several calls wait for each other. Every tensor is freed, even after an error. */
  async upscale(picture: Picture, settings: Settings, hooks: Hooks): Promise<Outcome> {
    checkPicture(picture);
    const alpha = alphaOf(settings);
    const size = targetSize(picture, this.info.scale, settings);
    return await inTurn(async () => {
      if (!this.open) throw new EsrganError(DISPOSED);
      const started = performance.now();
      await this.engine.select();
      const { tile = "auto" } = settings;
      const work = new Work(picture, size, this.engine, this.reload, tile, alpha, hooks);
      const result = await work.run();
      return { picture: result, ...this.account(work, describePlan(work.plan), started) };
    }, hooks.signal);
  }

  /**
   * The same as `upscale` for pixels that stay on the GPU. `onTile` is not called.
   *
   * @param given is not closed; it stays the caller's
   * @returns undefined if this picture needs `upscale`
   */
  async draw(given: Direct, settings: Settings, hooks: Hooks): Promise<Drawn | undefined> {
    alphaOf(settings);
    if (!this.engine.network.draw) return undefined;
    return await inTurn(async () => {
      if (!this.open) throw new EsrganError(DISPOSED);
      const started = performance.now();
      await this.engine.select();
      const result = await drawn(this.engine, given, settings, async (share) => {
        await pausing(hooks, share);
      });
      if (!result) return undefined;
      hooks.onProgress?.(1);
      const plan = `${describePlan(result.plan)}, all on the GPU`;
      return { bitmap: result.bitmap, ...this.account({ exact: true, divided: 0 }, plan, started) };
    }, hooks.signal);
  }

  private account(
    { exact, divided }: { readonly exact: boolean; readonly divided: number },
    plan: string,
    started: number,
  ): Account {
    const { backend, engineName: engine, reason } = this;
    return { backend, engine, reason, exact, plan, divided, milliseconds: performance.now() - started };
  }

  /** Free everything, after the pictures that are under way. */
  async dispose(): Promise<void> {
    await inTurn(() => {
      if (this.open) this.engine.dispose();
      this.open = false;
      return Promise.resolve();
    });
  }
}

/** @throws OptionError */
function alphaOf({ alpha = "model" }: Settings): AlphaMode {
  if (!["model", "resize", "drop"].includes(alpha)) {
    throw new OptionError(`alpha must be "model", "resize" or "drop", not ${JSON.stringify(alpha)}`);
  }
  return alpha;
}

/** One picture: its planes, one after the other. */
class Work {
  plan: Plan;
  exact: boolean;
  divided = 0;
  private readonly info: ModelInfo;
  private done = 0;
  private total = 0;

  constructor(
    private readonly picture: Picture,
    private readonly size: Size,
    private readonly engine: Engine,
    private readonly reload: () => Promise<Model>,
    private readonly tiling: Tiling,
    private readonly alpha: AlphaMode,
    private readonly hooks: Hooks,
  ) {
    this.info = engine.network.info;
    this.plan = this.planned();
    this.exact = this.plan.exact;
  }

  private planned(): Plan {
    const { info, picture, tiling } = this;
    const [height, width] = [picture.height, picture.width].map(
      (side) => Math.ceil(side / info.unshuffle) * info.unshuffle,
    );
    const { network, memory } = this.engine;
    const byRows = network.byRows && ((...sizes: [number, number]) => network.byRows!.bytes(...sizes));
    const bytesOf = (...sizes: [number, number, number]) => network.bytes(...sizes);
    return makePlan(info, height!, width!, tiling, memory, bytesOf, byRows);
  }

  async run(): Promise<Picture> {
    const transparent = this.alpha !== "drop" && hasAlpha(this.picture);
    const { width, height } = this.picture;
    const data = transparent ? bleed(this.picture.data, height, width) : this.picture.data;
    const visible = { width, height, data };
    const gray = isGray(visible);
    const colours =
      gray || this.info.inChannels === 1
        ? [0, 1, 2].slice(0, gray ? 1 : 3).map((first) => planeOf(visible, first, 1))
        : [planeOf(visible, 0, 3)];
    // transparency first, so that previews of the colours are whole
    const opacity = transparent ? planeOf(this.picture, 3, 1) : undefined;
    const throughNetwork = [...colours, ...(opacity && this.alpha === "model" ? [opacity] : [])].filter(
      (plane) => !isFlat(plane),
    );
    const tiles = this.plan.windows.map((window) => partsOf(window, this.plan, this.engine.network));
    this.total = throughNetwork.length * tiles.reduce((sum, count) => sum + count, 0);
    let finished = 0;
    const one = async (plane: Plane, opaque: Plane | undefined, shown: boolean): Promise<Plane> => {
      if (isFlat(plane)) return plane;
      const [from, part] = [finished++ / throughNetwork.length, 1 / throughNetwork.length];
      return await this.enlarge(plane, opaque, shown, from, part);
    };
    let large: Plane | undefined;
    if (opacity && this.alpha === "model") {
      large = await one(opacity, undefined, false);
      if (large !== opacity) keepUniform(large, opacity);
    }
    let shown = large;
    if (opacity && this.alpha === "resize" && this.hooks.onTile)
      shown = imresize(opacity, height * this.info.scale, width * this.info.scale);
    const parts: Plane[] = [];
    for (const plane of colours) parts.push(await one(plane, shown, colours.length === 1));
    if (!throughNetwork.length) this.hooks.onProgress?.(1);
    return this.join(parts, large ?? opacity);
  }

  private async enlarge(
    plane: Plane,
    opaque: Plane | undefined,
    shown: boolean,
    from: number,
    part: number,
  ): Promise<Plane> {
    for (;;) {
      const run = new Run({
        engine: this.engine,
        reload: this.reload,
        plan: this.plan,
        divisible: this.tiling !== "exact",
        pause: (share) => pausing(this.hooks, from + share * part),
        finished: (area, values, channels) => {
          this.tell(area, shown ? { values, channels, opaque } : undefined);
        },
      });
      try {
        return await run.enlarge(plane);
      } catch (error) {
        if (!(error instanceof WithoutRows)) throw error;
        this.plan = this.planned();
        this.exact &&= this.plan.exact;
      } finally {
        this.divided += run.divided;
        this.exact &&= run.exact;
      }
    }
  }

  private tell(
    area: Area,
    shown: { values: Float32Array; channels: number; opaque: Plane | undefined } | undefined,
  ): void {
    this.done++;
    this.total = Math.max(this.total, this.done);
    const { onTile } = this.hooks;
    if (!onTile) return;
    // a size that was padded ends before its last tile does
    const height = Math.min(area.height, this.picture.height * this.info.scale - area.top);
    const width = Math.min(area.width, this.picture.width * this.info.scale - area.left);
    let preview: Picture | undefined;
    if (shown) {
      const { values, channels, opaque } = shown;
      const data = new Uint8ClampedArray(4 * height * width);
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const to = 4 * (y * width + x);
          const source = (y * area.width + x) * channels;
          for (let c = 0; c < 3; c++) data[to + c] = values[channels === 1 ? source : source + c]! * 255;
          data[to + 3] = opaque ? opacityAt(opaque, area.top + y, area.left + x) : 255;
        }
      }
      preview = { width, height, data };
    }
    onTile({ done: this.done, total: this.total, top: area.top, left: area.left, height, width, preview });
  }

  /** What came out of the network, and flat planes as they were given, in the size of the result. */
  private join(colours: readonly Plane[], opacity: Plane | undefined): Picture {
    const { height, width } = this.size;
    const data = new Uint8ClampedArray(4 * width * height).fill(255);
    const put = (channel: number, plane: Plane, first: number) => {
      const { channels, values } = plane;
      for (let from = first, to = channel; to < data.length; from += channels, to += 4)
        data[to] = values[from]!;
    };
    const fitted = colours.map((plane) => this.fitted(plane));
    for (let c = 0; c < 3; c++) {
      const plane = fitted[Math.min(c, fitted.length - 1)]!;
      put(c, plane, plane.channels === 3 ? c : 0);
    }
    if (opacity) put(3, this.fitted(opacity), 0);
    return { width, height, data };
  }

  private fitted(plane: Plane): Plane {
    const { height, width } = this.size;
    return isFlat(plane) ? flat(plane, height, width) : imresize(plane, height, width);
  }
}

/** Between two steps: heed an abort, tell the share, let others have their turn. */
async function pausing({ signal, onProgress }: Hooks, share: number): Promise<void> {
  signal?.throwIfAborted();
  onProgress?.(share);
  await breathe();
  signal?.throwIfAborted();
}

/** Of a flat plane, which is as small as it was given, its one value. */
function opacityAt({ height, width, values }: Plane, y: number, x: number): number {
  return y < height && x < width ? values[y * width + x]! : values[0]!;
}

function flat(plane: Plane, height: number, width: number): Plane {
  const { channels } = plane;
  const values = new Uint8ClampedArray(height * width * channels);
  for (let i = 0; i < values.length; i++) values[i] = plane.values[i % channels]!;
  return { height, width, channels, values };
}
