/** A network by shaders of our own: trunk and tail, as `Network` of TF.js offers them. */
import type { Floats } from "../../models/bytes.js";
import type { Model } from "../../models/download.js";
import type { ModelInfo } from "../../models/manifest.js";
import { planBands, planTiles, type Tile } from "../../tiling/tiling.js";
import { layersOf } from "../kernels/reader.js";
import { checkFinite, type Features, type Network, type Pause } from "../network.js";
import { MAP_READ, type Machine } from "./device.js";
import { Pace } from "./pace.js";
import { Pool, type BufferName } from "./pool.js";
import { bytesOf, programOf, type Program, type Result } from "./program.js";
import { Runner, type Window } from "./runner.js";
import type { Shape } from "./shapes.js";
import type { Precision } from "./spec.js";

const FLOAT = 4;
const LARGEST_TILE = 128; // feature pixels a side of a tail's tile: larger ones take memory and save little

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
    if (this.held) throw new Error("the features of another picture are still held");
    const { info, pool, machine, plan } = this;
    const [rows, columns] = [height / info.unshuffle, width / info.unshuffle];
    const area = rows * columns;
    this.held = true;
    try {
      const target = plan.tail ? "features" : "result";
      await pool.ensure(
        new Map<BufferName, number>([
          ...plan.trunk.slots.map((bytes, slot) => [slot, bytes * area] as const),
          ["picture", FLOAT * values.length],
          [target, plan.featureBytes * area],
        ]),
      );
      machine.device.queue.writeBuffer(pool.get("picture"), 0, values as Floats);
      const whole = { top: 0, left: 0, rows, columns };
      await this.trunkRunner.run(rows, columns, whole, this.pace, pause);
      return { height: rows, width: columns, dispose: () => (this.held = false) };
    } catch (error) {
      this.held = false;
      throw error;
    }
  }

  async tail(features: Features, top: number, left: number, height: number, width: number): Promise<Floats> {
    const { info, pool, plan } = this;
    const scale = info.scale * info.unshuffle;
    const perPixel = FLOAT * info.outChannels * scale ** 2;
    const bytes = perPixel * height * width;
    const wanted: [BufferName, number][] = [["staging", bytes]];
    if (plan.tail) {
      plan.tail.slots.forEach((slot, index) => wanted.push([index, slot * height * width]));
      wanted.push(["result", bytes]);
    } else if (left !== 0 || width !== features.width) throw new Error("tiles of the tail are whole rows");
    await pool.ensure(new Map(wanted));
    if (this.tailRunner) {
      const window: Window = { top, left, rows: features.height, columns: features.width };
      await this.tailRunner.run(height, width, window, this.pace, () => Promise.resolve());
    }
    const from = plan.tail ? 0 : perPixel * top * width;
    const values = await this.read(from, bytes);
    checkFinite(values);
    return values;
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
    const perPixel = FLOAT * info.outChannels * (info.scale * info.unshuffle) ** 2;
    const result = perPixel * (plan.tail ? window : area);
    const staging = perPixel * window;
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
