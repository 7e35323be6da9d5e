/** A model with the backend and the engine that were chosen for it, after a test of their results. */
import { startBackend, type BackendName, type StartOptions } from "./backend.js";
import type { Model } from "../models/download.js";
import { BackendError, messageOf } from "../errors.js";
import { inTime } from "../threads/limit.js";
import { computedWhole, type Network } from "./network.js";
import { TfjsNetwork } from "./tfjs.js";
import { waysFor, type Computer, type EngineName, type Way } from "./ways.js";

export interface EngineOptions extends StartOptions {
  readonly backend: BackendName | "auto";
  readonly engine: EngineName | "auto";
  /** Bytes of memory that a computation may use; undefined: a limit that suits the backend. */
  readonly memory?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const TOLERANCE = 0.02; // of full range: float16 textures err by 0.015 at most, a broken backend by far more
const TEST_WORK = 3e8; // multiply-adds of a self-test: half a second in plain JavaScript
const TEST_SIDES = { least: 4, most: 8 };
const TIMED_SIDE = 32; // feature pixels of the tile that is timed, where the small one promises
const TIMED_MOST = 1500; // ms for it, by the small one's time a pixel

interface Passed {
  readonly way: Way;
  readonly computer: Computer;
  readonly verdict: string;
}

/** What was chosen, and why, for people to read. */
interface Chosen {
  readonly way: Way;
  readonly computer: Computer;
  readonly reason: string;
}

export class Engine {
  /** Ways that were given up since. */
  private left: readonly Way[] = [];

  private constructor(
    private chosen: Chosen,
    private readonly options: EngineOptions,
  ) {}

  /** Bytes of memory that a computation may use. */
  get memory(): number {
    return this.options.memory ?? this.chosen.computer.budget;
  }

  get way(): Way {
    return this.chosen.way;
  }

  /** Why this backend and this engine, for people to read. */
  get reason(): string {
    return this.chosen.reason;
  }

  get network(): Network {
    return this.chosen.computer.network;
  }

  /**
   * Start what was asked for. Each way must compute a tiny tile as plain JavaScript does; the fastest of those that do
   * is taken.
   *
   * @throws BackendError no way starts and computes correctly
   */
  static async start(model: Model, options: EngineOptions): Promise<Engine> {
    return new Engine(await choose(model, options, []), options);
  }

  isLost(): boolean {
    return this.chosen.computer.isLost();
  }

  /** Make it the one that computes: TF.js has one backend for all. */
  async select(): Promise<void> {
    await this.chosen.computer.select();
  }

  /**
   * After memory was short or a device was lost: free everything and start again. If that fails, start in another way
   * that is allowed.
   *
   * @param elsewhere start in another way at once
   * @throws BackendError there is no other way
   */
  async recover(model: Model, elsewhere = false): Promise<void> {
    const { way, computer } = this.chosen;
    let why = "its device was lost several times";
    if (elsewhere) discard(computer);
    else {
      try {
        this.chosen = { ...this.chosen, computer: await computer.restart(model, this.options) };
        return;
      } catch (error) {
        why = `it does not start again: ${messageOf(error)}`;
      }
    }
    const note = `${nameOf(way)} was given up, because ${why}`;
    const left = [...this.left, way];
    const notes = [note, this.options.note].filter(Boolean).join("; ");
    try {
      this.chosen = await choose(model, { ...this.options, note: notes, signal: undefined }, left);
    } catch (error) {
      throw new BackendError(`${note}; ${messageOf(error)}`);
    }
    this.left = left;
    await this.select();
  }

  dispose(): void {
    discard(this.chosen.computer);
  }
}

/** @throws BackendError no way runs that is allowed and was not given up before */
async function choose(model: Model, options: EngineOptions, left: readonly Way[]): Promise<Chosen> {
  const given = { ...options, asked: options.backend !== "auto" };
  const failures: string[] = [];
  const passed: Passed[] = [];
  let expected: Float32Array | undefined;
  const ways = waysFor(options.backend, options.engine).filter(
    (way) => !left.some(({ backend, engine }) => backend === way.backend && engine === way.engine),
  );
  try {
    for (const way of ways) {
      if (way.isSpare?.(passed.map((one) => one.way))) continue;
      options.signal?.throwIfAborted();
      try {
        if (way.backend !== "cpu") expected ??= await onCpu(model, options);
        options.signal?.throwIfAborted();
        const computer = await inTime(way.start(model, given), discard);
        try {
          const verdict = expected
            ? await inTime(judge(computer, model, expected))
            : "the others are compared with it";
          passed.push({ way, computer, verdict });
        } catch (error) {
          discard(computer);
          throw error;
        }
      } catch (error) {
        options.signal?.throwIfAborted();
        const text = messageOf(error);
        failures.push(text.startsWith("backend ") ? text : `${nameOf(way)} fails: ${text}`);
      }
    }
    if (!passed.length)
      throw new BackendError(failures.join("; ") || "no other backend or engine is allowed");
    const { chosen, comparison } = await fastest(passed, model, options.signal);
    const { way, computer, verdict } = chosen;
    const reason = [
      ...(options.backend === "auto" ? [] : ["as requested"]),
      ...computer.about(),
      verdict,
      ...comparison,
      ...failures,
      ...(options.note ? [options.note] : []),
    ].join("; ");
    passed.splice(passed.indexOf(chosen), 1);
    return { way, computer, reason };
  } finally {
    for (const { computer } of passed) discard(computer);
  }
}

function discard(computer: Computer): void {
  try {
    computer.network.dispose();
  } catch {
    // a lost device may fail to free what it held
  }
}

function nameOf(way: Way): string {
  return way.engine === "tfjs" ? `backend ${way.backend}` : `engine ${way.engine} on ${way.backend}`;
}

async function onCpu(model: Model, options: EngineOptions): Promise<Float32Array> {
  const network = await TfjsNetwork.load(model, await startBackend("cpu", options));
  try {
    return await testResult(network, testSide(model));
  } finally {
    network.dispose();
  }
}

async function judge(computer: Computer, model: Model, expected: Float32Array): Promise<string> {
  const found = await testResult(computer.network, testSide(model));
  const worst = found.reduce((most, value, index) => Math.max(most, Math.abs(value - expected[index]!)), 0);
  if (worst <= TOLERANCE) return `a test tile differs by at most ${worst.toExponential(1)}`;
  throw new Error(`it computes a test tile wrongly: by ${worst.toPrecision(2)} of the full range`);
}

/** The one that takes the least time for a pixel. */
async function fastest(
  passed: readonly Passed[],
  model: Model,
  signal: AbortSignal | undefined,
): Promise<{ chosen: Passed; comparison: string[] }> {
  if (passed.length === 1) return { chosen: passed[0]!, comparison: [] };
  const paces: { one: Passed; pace: number }[] = [];
  for (const one of passed) {
    signal?.throwIfAborted();
    await one.computer.select();
    paces.push({ one, pace: await paceOf(one.computer.network, testSide(model)) });
  }
  paces.sort((a, b) => a.pace - b.pace);
  const [best, ...others] = paces as [(typeof paces)[number], ...typeof paces];
  const comparison = others.map(
    ({ one, pace }) => `${nameOf(one.way)} takes ${(pace / best.pace).toPrecision(2)} times as long`,
  );
  return { chosen: best.one, comparison };
}

/** Milliseconds a feature pixel, after a first run. */
async function paceOf(network: Network, side: number): Promise<number> {
  const timed = async (size: number) => {
    const started = performance.now();
    await testResult(network, size);
    return (performance.now() - started) / size ** 2;
  };
  const small = await timed(side);
  if (small * TIMED_SIDE ** 2 > TIMED_MOST) return small;
  await testResult(network, TIMED_SIDE);
  return await timed(TIMED_SIDE);
}

function testSide({ manifest }: Model): number {
  const fitting = Math.floor(Math.sqrt(TEST_WORK / manifest.parameters));
  return Math.min(Math.max(fitting, TEST_SIDES.least), TEST_SIDES.most);
}

/** The whole network on a tile of a fixed pattern. */
async function testResult(network: Network, side: number): Promise<Float32Array> {
  const { unshuffle, inChannels } = network.info;
  const size = side * unshuffle;
  const pattern = Float32Array.from(
    { length: size * size * inChannels },
    (_, index) => ((index * 73) % 101) / 100,
  );
  return await computedWhole(network, pattern, size, size);
}
