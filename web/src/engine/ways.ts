/**
 * Ways to compute a network: each is an engine on a backend. `Engine.start` tries them, and takes the fastest that
 * computes correctly. `registerEngine` adds an engine.
 */
import {
  offeredBackends,
  restartBackend,
  select,
  startBackend,
  type Backend,
  type BackendName,
  type StartOptions,
} from "./backend.js";
import type { Model } from "../models/download.js";
import { OptionError } from "../errors.js";
import type { Network } from "./network.js";
import { TfjsNetwork } from "./tfjs.js";

/** "tfjs": TensorFlow.js; "kernels": this library's own code. */
export type EngineName = "tfjs" | "kernels";

/** A network that is ready to compute. */
export interface Computer {
  readonly network: Network;
  /** Bytes of memory that a computation may use, unless the user sets a limit. */
  readonly budget: number;
  /** More about it for people to read. */
  about(): string[];
  /** Whether its device was lost; what was read from it since is worthless. */
  isLost(): boolean;
  /** Make it the one that computes, where only one can. */
  select(): Promise<void>;
  /** Free everything, and start anew. */
  restart(model: Model, options: StartOptions): Promise<Computer>;
}

export interface Way {
  readonly backend: BackendName;
  readonly engine: EngineName;
  /** Whether it need not be tried where these are right. */
  isSpare?(passed: readonly Way[]): boolean;
  /** Throws with a reason where it cannot run here, or not this model. */
  start(model: Model, options: StartOptions): Promise<Computer>;
}

const BACKENDS: readonly BackendName[] = ["webgpu", "webgl", "tensorflow", "wasm", "cpu"];
const ENGINES: readonly EngineName[] = ["kernels", "tfjs"];
const own = new Map<BackendName, (model: Model, options: StartOptions) => Promise<Computer>>();

/** Make this library's own engine for a backend available, beside TF.js's. */
export function registerEngine(
  backend: BackendName,
  start: (model: Model, options: StartOptions) => Promise<Computer>,
): void {
  own.set(backend, start);
}

/** What to try for a choice, in this order. */
export function waysFor(backend: BackendName | "auto", engine: EngineName | "auto"): Way[] {
  const offered = BACKENDS.filter((name) => offeredBackends().includes(name));
  check("backend", backend, offered);
  check("engine", engine, ENGINES);
  const ways = offered.flatMap((name) => [...kernelsOn(name), tfjsOn(name)]);
  const chosen = ways.filter(
    (way) => (backend === "auto" || way.backend === backend) && (engine === "auto" || way.engine === engine),
  );
  if (!chosen.length)
    throw new OptionError(`the backend ${backend} has no engine ${engine}; leave one of the two out`);
  return chosen;
}

function check(option: string, given: string, known: readonly string[]): void {
  if (given !== "auto" && !known.includes(given))
    throw new OptionError(
      `${option} must be auto or one of ${known.join(", ")}, not ${JSON.stringify(given)}`,
    );
}

function kernelsOn(backend: BackendName): Way[] {
  const start = own.get(backend);
  return start ? [{ backend, engine: "kernels", start }] : [];
}

function tfjsOn(name: BackendName): Way {
  return {
    backend: name,
    engine: "tfjs",
    isSpare: (passed) =>
      (name === "cpu" && passed.length > 0) ||
      (name === "wasm" && passed.some((way) => way.backend === "wasm" || way.backend === "tensorflow")),
    start: async (model, options) => await tfjsComputer(name, model, options),
  };
}

async function tfjsComputer(name: BackendName, model: Model, options: StartOptions): Promise<Computer> {
  const backend = await startBackend(name, options);
  return computerOf(backend, await TfjsNetwork.load(model, backend));
}

function computerOf(backend: Backend, network: TfjsNetwork): Computer {
  return {
    network,
    budget: backend.budget,
    about: () => (backend.about ? [backend.about()] : []),
    isLost: () => backend.isLost(),
    select: () => select(backend),
    async restart(again, given) {
      try {
        network.dispose();
      } catch {
        // a lost device may fail to free what it held
      }
      await restartBackend(backend, given);
      return computerOf(backend, await TfjsNetwork.load(again, backend));
    },
  };
}
