/** A network by shaders of our own: trunk and tail, as `Network` of TF.js offers them. */
import type { Floats } from "../../models/bytes.js";
import type { Model } from "../../models/download.js";
import type { ModelInfo } from "../../models/manifest.js";
import { planBands, planTiles, type Tile } from "../../tiling/tiling.js";
import { layersOf } from "../kernels/reader.js";
import { checkFinite, type Drawing, type Features, type Network, type Pause } from "../network.js";
import { MAP_READ, type Machine } from "./device.js";
import { Pace } from "./pace.js";
import { Pool, type BufferName } from "./pool.js";
import { bytesOf, programOf, type Program, type Result } from "./program.js";
import { Runner, type Window } from "./runner.js";
import type { Shape } from "./shapes.js";
import type { Precision } from "./spec.js";
import { Textures, TextureShaders, type Placed } from "./textures.js";

const FLOAT = 4;
const LARGEST_TILE = 128; // feature pixels a side of a tail's tile: larger ones take memory and save little

const TRUNK_SHARE = 0.85; // of a picture's time, for the progress

/** What a model is for a GPU, before a device has seen it. */
export interface Plan {
  readonly info: ModelInfo;
  readonly precision: Precision;
  readonly trunk: Program;
  /** Undefined: the trunk writes pixels, and a tail only hands them out. */
  readonly tail: Program | undefined;
  /** Bytes of the features for each pixel of theirs. */
  readonly featureBytes: number;
}

/** @throws Unsupported the graph is of another form */
export function planOf(model: Model, precision: Precision): Plan {
  const { info } = model.manifest;
  const { trunk, tail, features } = layersOf(model);
  const write = (last: typeof trunk, result: Result) => programOf(last, result, info.inChannels, precision);
  if (tail.kind === "shuffle") {
    const program = write(trunk, { kind: "pixels", size: tail.size });
    return { info, precision, trunk: program, tail: undefined, featureBytes: FLOAT * features };
  }
  return {
    info,
    precision,
    trunk: write(trunk, { kind: "map" }),
    tail: write(tail, { kind: "pixels", size: 1 }),
    featureBytes: Math.ceil(features / 4) * bytesOf("half", precision),
  };
}

export class WebgpuNetwork implements Network {
  readonly info: ModelInfo;
  private readonly pace = new Pace();
  private held = false;
  private shaders: TextureShaders | undefined;

  private constructor(
    private readonly machine: Machine,
    private readonly plan: Plan,
    private readonly pool: Pool,
    private readonly trunkRunner: Runner,
    private readonly tailRunner: Runner | undefined,
  ) {
    this.info = plan.info;
  }

  /** @throws Error a shader does not compile, or memory is short */
  static async start(machine: Machine, plan: Plan, shape: Shape): Promise<WebgpuNetwork> {
    const pool = new Pool(machine);
    const runner = (program: Program) => Runner.prepare(machine, pool, program, shape, plan.precision);
    const trunk = await runner(plan.trunk);
    try {
      const tail = plan.tail && (await runner(plan.tail));
      await machine.finished(); // all weights are there
      return new WebgpuNetwork(machine, plan, pool, trunk, tail);
    } catch (error) {
      trunk.close();
      throw error;
    }
  }

  async trunk(values: Float32Array, height: number, width: number, pause: Pause): Promise<Features> {
    return (await this.features(height, width, pause, () => {
      this.machine.device.queue.writeBuffer(this.pool.get("picture"), 0, values as Floats);
      return Promise.resolve(true);
    }))!;
  }

  async tail(
    features: Features,
    top: number,
    left: number,
    height: number,
    width: number,
    pause: Pause = () => Promise.resolve(),
  ): Promise<Floats> {
    const bytes = this.perPixel * height * width;
    await this.pool.ensure(new Map([["staging", bytes]]));
    const from = await this.tailTo(features, top, left, height, width, pause);
    const values = await this.read(this.perPixel * from, bytes);
    checkFinite(values);
    return values;
  }

  async draw({ bitmap, colorSpace, tailSize, pause }: Drawing): Promise<ImageBitmap | undefined> {
    const { info, machine, pool } = this;
    const { scale, unshuffle } = info;
    const { height, width } = bitmap;
    const most = machine.device.limits.maxTextureDimension2D;
    if (info.inChannels !== 3 || info.outChannels !== 3 || scale * Math.max(height, width) > most)
      return undefined;
    const context = new OffscreenCanvas(scale * width, scale * height).getContext("webgpu");
    if (!context) return undefined; // a browser may have one or the other
    this.shaders ??= await machine.orLost(TextureShaders.compile(machine));
    const textures = await Textures.open(machine, pool, this.shaders, height, width, scale);
    let features: Features | undefined;
    try {
      const [rows, columns] = [Math.ceil(height / unshuffle), Math.ceil(width / unshuffle)];
      const [down, across] = [rows * unshuffle, columns * unshuffle];
      let gray = false;
      features = await this.features(
        down,
        across,
        (share) => pause(TRUNK_SHARE * share),
        async () => {
          const seen = await textures.load(bitmap, colorSpace, down, across);
          gray = !seen.coloured;
          return seen.varied && !seen.transparent;
        },
      );
      if (!features) return undefined;
      const tiles = this.tailTiles(rows, columns, tailSize);
      for (const [number, tile] of tiles.entries()) {
        const { windowTop, windowLeft, windowHeight, windowWidth } = tile;
        const within: Pause = (share) =>
          pause(TRUNK_SHARE + ((1 - TRUNK_SHARE) * (number + share)) / tiles.length);
        const from = await this.tailTo(features, windowTop, windowLeft, windowHeight, windowWidth, within);
        textures.store(placed(tile, from, scale * unshuffle, scale * height, scale * width), gray);
        await within(1);
      }
      return await textures.finish(context, colorSpace);
    } finally {
      features?.dispose();
      textures.close();
    }
  }

  /** Tiles that this device's buffers hold; of a tail without convolutions bands of whole rows, which lie there already. */
  tailTiles(height: number, width: number, size: number): Tile[] {
    const { info, plan } = this;
    if (plan.tail) return planTiles(height, width, this.tailSide(size), info.tailHalo);
    return planBands(height, width, Math.max(size ** 2 / width, 1), 0, 1);
  }

  bytes(height: number, width: number, tailSize: number): number {
    const { info, plan, machine } = this;
    const area = (height * width) / info.unshuffle ** 2;
    const side = plan.tail ? this.tailSide(tailSize) + 2 * info.tailHalo : tailSize;
    const window = Math.min(Math.max(side ** 2, plan.tail ? 0 : width), area);
    const result = this.perPixel * (plan.tail ? window : area);
    const staging = this.perPixel * window;
    const slots = Array.from(
      { length: Math.max(plan.trunk.slots.length, plan.tail?.slots.length ?? 0) },
      (_, slot) => Math.max((plan.trunk.slots[slot] ?? 0) * area, (plan.tail?.slots[slot] ?? 0) * window),
    );
    const kept = [FLOAT * height * width * info.inChannels, plan.tail ? plan.featureBytes * area : 0];
    const all = [...slots, ...kept, result, staging];
    if (all.some((bytes) => bytes > machine.largest)) return Infinity;
    return all.reduce((sum, bytes) => sum + bytes, 0);
  }

  dispose(): void {
    this.trunkRunner.close();
    this.tailRunner?.close();
    this.pool.close();
    this.machine.close();
  }

  /** Bytes of the result for each pixel of the features. */
  private get perPixel(): number {
    const { outChannels, scale, unshuffle } = this.info;
    return FLOAT * outChannels * (scale * unshuffle) ** 2;
  }

  /** @param fill writes the buffer "picture"; false: it is not to be computed */
  private async features(
    height: number,
    width: number,
    pause: Pause,
    fill: () => Promise<boolean>,
  ): Promise<Features | undefined> {
    if (this.held) throw new Error("the features of another picture are still held");
    const { info, pool, plan } = this;
    const [rows, columns] = [height / info.unshuffle, width / info.unshuffle];
    const area = rows * columns;
    this.held = true;
    const dispose = () => {
      this.held = false;
    };
    try {
      const target = plan.tail ? "features" : "result";
      await pool.ensure(
        new Map<BufferName, number>([
          ...plan.trunk.slots.map((bytes, slot) => [slot, bytes * area] as const),
          ["picture", FLOAT * height * width * info.inChannels],
          [target, plan.featureBytes * area],
        ]),
      );
      if (await fill()) {
        const whole = { top: 0, left: 0, rows, columns };
        await this.trunkRunner.run(rows, columns, whole, this.pace, pause);
        return { height: rows, width: columns, dispose };
      }
    } catch (error) {
      dispose();
      throw error;
    }
    dispose();
    return undefined;
  }

  /** A window of the tail into the buffer "result". @returns the feature pixel where it begins there */
  private async tailTo(
    features: Features,
    top: number,
    left: number,
    height: number,
    width: number,
    pause: Pause,
  ): Promise<number> {
    const { pool, plan } = this;
    if (!this.tailRunner || !plan.tail) {
      if (left !== 0 || width !== features.width) throw new Error("tiles of the tail are whole rows");
      return top * width;
    }
    const slots = plan.tail.slots.map((slot, index): [BufferName, number] => [index, slot * height * width]);
    await pool.ensure(new Map([...slots, ["result", this.perPixel * height * width]]));
    const window: Window = { top, left, rows: features.height, columns: features.width };
    await this.tailRunner.run(height, width, window, this.pace, pause);
    return 0;
  }

  /** Feature pixels a side of a tile whose largest map fits into a buffer. */
  private tailSide(size: number): number {
    const { plan, machine, info } = this;
    const most = Math.max(...(plan.tail?.slots ?? [1]));
    const fitting = Math.floor(Math.sqrt(machine.largest / most)) - 2 * info.tailHalo;
    return Math.max(Math.min(size, LARGEST_TILE, fitting), 1);
  }

  private async read(from: number, bytes: number): Promise<Floats> {
    const { device } = this.machine;
    const staging = this.pool.get("staging");
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.pool.get("result"), from, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await this.machine.orLost(staging.mapAsync(MAP_READ, 0, bytes));
    try {
      return new Float32Array(staging.getMappedRange(0, bytes).slice(0));
    } finally {
      staging.unmap();
    }
  }
}

/**
 * The core of a tile of the tail, cut to the picture.
 *
 * @param from the feature pixel of the buffer where its window begins
 * @param scale of a feature pixel
 * @param height, width of the picture
 */
function placed(tile: Tile, from: number, scale: number, height: number, width: number): Placed {
  const [top, left, row] = [tile.top, tile.left, tile.windowWidth].map((one) => scale * one) as [
    number,
    number,
    number,
  ];
  return {
    first:
      from * scale ** 2 + scale * (tile.top - tile.windowTop) * row + scale * (tile.left - tile.windowLeft),
    row,
    top,
    left,
    height: Math.min(scale * tile.height, height - top),
    width: Math.min(scale * tile.width, width - left),
  };
}
