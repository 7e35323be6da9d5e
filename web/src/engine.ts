/** A model on a backend that was chosen, tried and found right. */
import {
  candidates,
  restartBackend,
  select,
  startBackend,
  type Backend,
  type BackendName,
  type StartOptions,
} from "./backend.js";
import type { Model } from "./download.js";
import { BackendError, messageOf } from "./errors.js";
import { Network } from "./network.js";

export interface EngineOptions extends StartOptions {
  readonly backend: BackendName | "auto";
  /** Bytes that a computation may take; undefined: what suits the backend. */
  readonly memory?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const TOLERANCE = 0.02; // of full range: float16 textures err by 0.015 at most, a broken backend by far more
const TEST_WORK = 3e8; // multiply-adds of a self-test: half a second in plain JavaScript
const TEST_SIDES = { least: 4, most: 8 };

export class Engine {
  private constructor(
    readonly backend: Backend,
    /** Why this backend, for people. */
    readonly reason: string,
    readonly memory: number,
    private current: Network,
    private readonly options: EngineOptions,
  ) {}

  get network(): Network {
    return this.current;
  }

  /**
   * Start the backend asked for, or the first of webgpu, webgl, wasm, cpu that starts and computes a tiny
   * tile as plain JavaScript does.
   *
   * @throws BackendError none does
   */
  static async start(model: Model, options: EngineOptions): Promise<Engine> {
    const failures: string[] = [];
    let expected: Float32Array | undefined;
    for (const name of candidates(options.backend)) {
      options.signal?.throwIfAborted();
      try {
        if (name !== "cpu") expected ??= await onCpu(model, options);
        options.signal?.throwIfAborted();
        const backend = await startBackend(name, options);
        const network = await Network.load(model, backend);
        const verdict = expected ? await judge(network, model, expected) : "it is the reference";
        const reason = [
          ...(options.backend === "auto" ? [] : ["as asked"]),
          ...(backend.about ? [backend.about()] : []),
          verdict,
          ...failures,
        ].join("; ");
        return new Engine(backend, reason, options.memory ?? backend.budget, network, options);
      } catch (error) {
        options.signal?.throwIfAborted();
        failures.push(
          error instanceof BackendError ? error.message : `backend ${name} fails: ${messageOf(error)}`,
        );
      }
    }
    throw new BackendError(failures.join("; "));
  }

  /** Make this engine's backend the one that TF.js uses. */
  async select(): Promise<void> {
    await select(this.backend);
  }

  /** After a failure of memory or a lost device: free everything and start anew. */
  async recover(model: Model): Promise<void> {
    this.dispose();
    await restartBackend(this.backend, this.options);
    this.current = await Network.load(model, this.backend);
  }

  dispose(): void {
    try {
      this.current.dispose();
    } catch {
      // a lost device may fail to free what it held
    }
  }
}

async function onCpu(model: Model, options: EngineOptions): Promise<Float32Array> {
  const network = await Network.load(model, await startBackend("cpu", options));
  try {
    return await testResult(network, model);
  } finally {
    network.dispose();
  }
}

async function judge(network: Network, model: Model, expected: Float32Array): Promise<string> {
  let worst = Infinity;
  try {
    const found = await testResult(network, model);
    worst = found.reduce((most, value, index) => Math.max(most, Math.abs(value - expected[index]!)), 0);
  } finally {
    if (!(worst <= TOLERANCE)) network.dispose();
  }
  if (worst <= TOLERANCE) return `a test tile differs by ${worst.toExponential(1)} at most`;
  throw new Error(`it computes a test tile wrongly, by ${worst.toPrecision(2)} of full range`);
}

/** The whole network on a tile of a fixed pattern. */
async function testResult(network: Network, { manifest }: Model): Promise<Float32Array> {
  const { unshuffle, inChannels } = manifest.info;
  const fitting = Math.floor(Math.sqrt(TEST_WORK / manifest.parameters));
  const side = Math.min(Math.max(fitting, TEST_SIDES.least), TEST_SIDES.most);
  const size = side * unshuffle;
  const pattern = Float32Array.from(
    { length: size * size * inChannels },
    (_, index) => ((index * 73) % 101) / 100,
  );
  const features = await network.trunk(pattern, size, size, () => Promise.resolve());
  try {
    return await network.tail(features, 0, 0, side, side);
  } finally {
    features.dispose();
  }
}
