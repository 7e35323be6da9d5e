/** The graph by TF.js, on its current backend: trunk and tail, every tensor accounted for. */
import type { Floats } from "../models/bytes.js";
import type { GraphModel } from "@tensorflow/tfjs-converter";
import * as tf from "@tensorflow/tfjs-core";
import type { Backend } from "./backend.js";
import { graphModelOf } from "./graph-model.js";
import type { Model } from "../models/download.js";
import type { ModelInfo } from "../models/manifest.js";
import { checkFinite, type Features, type Network, type Pause } from "./network.js";
import { graphBytes } from "../tiling/plan.js";
import { cutStages, type Stage } from "./stages.js";
import { planTiles, type Tile } from "../tiling/tiling.js";

/** What a network must know of what it runs on. */
export type Device = Pick<Backend, "deferred" | "keepsAddresses" | "im2col" | "isLost">;

// convolutions of a stage where its end must be waited for by a read; elsewhere a stage may be as short as can be
const FEWEST_DEFERRED = 5;
const WATCH = 100; // ms between two looks at a device
const ADDRESSES = 9 * 4; // bytes of addresses a pixel and convolution of 3x3 values, as XNNPACK keeps them
const ADDRESSES_KEPT = 64 * 2 ** 20; // bytes of them in all that are left, to be used again

interface Held extends Features {
  readonly tensor: tf.Tensor4D;
}

export class TfjsNetwork implements Network {
  private constructor(
    private readonly model: GraphModel,
    readonly info: ModelInfo,
    private readonly stages: readonly Stage[],
    private readonly convolutions: number,
    private readonly input: string,
    private readonly output: string,
    private readonly device: Device,
  ) {}

  static async load(given: Model, device: Device): Promise<TfjsNetwork> {
    const { info, nodes, input, output } = given.manifest;
    const model = await graphModelOf(given);
    const least = device.deferred ? FEWEST_DEFERRED : 1;
    const stages = cutStages(nodes, input, info.featuresNode, least);
    const convolutions = nodes.filter((node) => node.op.includes("Conv")).length;
    return new TfjsNetwork(model, info, stages, convolutions, input, output, device);
  }

  async trunk(values: Float32Array, height: number, width: number, pause: Pause): Promise<Features> {
    const alive = new Map<string, tf.Tensor>();
    const { featuresNode, unshuffle } = this.info;
    const addresses = (ADDRESSES * this.convolutions * height * width) / unshuffle ** 2;
    const forgets = this.device.keepsAddresses && addresses > ADDRESSES_KEPT;
    try {
      alive.set(this.input, tf.tensor4d(values, [1, height, width, this.info.inChannels]));
      for (const [number, stage] of this.stages.entries()) {
        const feeds = Object.fromEntries(stage.feeds.map((name) => [name, alive.get(name)!]));
        const results = [this.model.execute(feeds, [...stage.fetches])].flat();
        stage.fetches.forEach((name, index) => alive.set(name, results[index]!));
        if (forgets) this.forget(stage, alive);
        for (const name of stage.spent) {
          alive.get(name)!.dispose();
          alive.delete(name);
        }
        if (this.device.deferred) await this.finished(results[0]!);
        await pause((number + 1) / this.stages.length);
      }
      const tensor = alive.get(featuresNode) as tf.Tensor4D;
      alive.delete(featuresNode);
      const held: Held = {
        height: tensor.shape[1],
        width: tensor.shape[2],
        tensor,
        dispose: () => tensor.dispose(),
      };
      return held;
    } finally {
      alive.forEach((tensor) => tensor.dispose());
    }
  }

  /**
   * Let the backend forget the addresses that a stage read, for they can take more memory than the pictures: 12 kB a
   * pixel for 23 blocks. They are kept for the last size only, so the stage is run once on the smallest.
   */
  private forget(stage: Stage, alive: ReadonlyMap<string, tf.Tensor>): void {
    tf.tidy(() => {
      const feeds = stage.feeds.map((name) => {
        const side = name === this.input ? this.info.unshuffle : 1;
        return [name, tf.zeros([1, side, side, alive.get(name)!.shape[3]!])] as const;
      });
      this.model.execute(Object.fromEntries(feeds), [...stage.fetches]);
    });
  }

  async tail(given: Features, top: number, left: number, height: number, width: number): Promise<Floats> {
    const features = (given as Held).tensor;
    const [, allRows, allColumns, channels] = features.shape;
    const result = tf.tidy(() => {
      const part =
        height === allRows && width === allColumns
          ? features // a slice would be a copy
          : tf.slice4d(features, [0, top, left, 0], [1, height, width, channels]);
      return this.model.execute({ [this.info.featuresNode]: part }, this.output) as tf.Tensor;
    });
    let values: Floats;
    try {
      values = (await this.read(result)) as Floats;
    } finally {
      result.dispose();
    }
    checkFinite(values);
    return values;
  }

  tailTiles(height: number, width: number, size: number): Tile[] {
    return planTiles(height, width, size, this.info.tailHalo);
  }

  bytes(height: number, width: number, tailSize: number): number {
    return graphBytes(this.info, height, width, tailSize, this.device.im2col);
  }

  dispose(): void {
    this.model.dispose();
  }

  /** Wait until a tensor of a deferred backend is computed: read one of its values. */
  private async finished(tensor: tf.Tensor): Promise<void> {
    const one = tf.tidy(() =>
      tf.slice(
        tensor,
        tensor.shape.map(() => 0),
        tensor.shape.map(() => 1),
      ),
    );
    try {
      await this.read(one);
    } finally {
      one.dispose();
    }
  }

  /** A tensor's values; TF.js would wait for ever for those of a lost device. */
  private async read(tensor: tf.Tensor): Promise<Float32Array> {
    if (!this.device.deferred) return await tensor.data<"float32">();
    let watch: ReturnType<typeof setInterval> | undefined;
    const lost = new Promise<never>((_, reject) => {
      watch = setInterval(() => {
        if (this.device.isLost()) reject(new Error("the device was lost"));
      }, WATCH);
    });
    try {
      return await Promise.race([tensor.data<"float32">(), lost]);
    } finally {
      clearInterval(watch);
    }
  }
}
