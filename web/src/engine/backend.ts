/** TF.js's backends: which there are, how one is started, and which errors mean that memory was short. */
import * as tf from "@tensorflow/tfjs-core";
import { BackendError, messageOf } from "../errors.js";
import type { ShardCache } from "../models/cache.js";

export type BackendName = "webgpu" | "webgl" | "wasm" | "cpu" | "tensorflow";

/** TF.js's .wasm files: the address of their folder, or of each file by its name, such as "tfjs-backend-wasm-simd.wasm". */
export type WasmPaths = string | URL | Readonly<Record<string, string>>;

export interface StartOptions {
  /** Absolute; a folder ends in a slash. */
  readonly wasmPaths?: string | Readonly<Record<string, string>> | undefined;
  /** Added to the reason of the choice, for people to read. */
  readonly note?: string | undefined;
  /** Whether the user named the backend. */
  readonly asked?: boolean | undefined;
  /** Where an engine keeps what it measured. */
  readonly memories?: ShardCache | undefined;
}

export interface Backend {
  readonly name: BackendName;
  /** TF.js's own name of it. */
  readonly tfName: string;
  /** Bytes of memory that a computation may use, unless the user sets a limit. */
  readonly budget: number;
  /** Whether it unrolls convolutions into a matrix. */
  readonly im2col: boolean;
  /** Whether it computes after the call has returned, so that waiting needs a read. */
  readonly deferred: boolean;
  /** Whether it keeps, with every convolution's weights, the addresses of all values that its last call read. */
  readonly keepsAddresses: boolean;
  /** Make it known to TF.js; throws with a reason where it cannot run here. */
  prepare(options: StartOptions): Promise<void>;
  /** Whether the device was lost; what was read from it since is worthless. */
  isLost(): boolean;
  /** More about it for people to read, once it runs. */
  about?(): string;
}

const known = new Map<BackendName, () => Promise<Backend>>();

/** Make a backend available to `Upscaler.load`; its code is loaded when it is tried. */
export function registerBackend(name: BackendName, load: () => Promise<Backend>): void {
  known.set(name, load);
}

/** Names of the backends that are available. */
export function offeredBackends(): BackendName[] {
  return [...known.keys()];
}

/** @throws BackendError it does not start here; the message says why */
export async function startBackend(name: BackendName, options: StartOptions): Promise<Backend> {
  try {
    const load = known.get(name);
    if (!load) throw new Error("it is not part of this build; import it from tfjs-esrgan");
    const backend = await load();
    await backend.prepare(options);
    await select(backend);
    return backend;
  } catch (error) {
    throw new BackendError(`backend ${name} does not start: ${messageOf(error)}`);
  }
}

/** Make it the one that computes; TF.js has one for all. */
export async function select(backend: Backend): Promise<void> {
  if (tf.getBackend() === backend.tfName) return;
  if (!(await tf.setBackend(backend.tfName)))
    throw new Error("TensorFlow.js cannot start it; the console says why");
  await tf.ready();
}

/** Throw a backend away, with all that it holds, and start it anew. */
export async function restartBackend(backend: Backend, options: StartOptions): Promise<void> {
  const factory = tf.findBackendFactory(backend.tfName) as (() => tf.KernelBackend) | undefined;
  try {
    tf.removeBackend(backend.tfName);
  } catch {
    // what is broken may fail to free what it held
  }
  if (factory) tf.registerBackend(backend.tfName, factory);
  await backend.prepare(options);
  await select(backend);
}

const MEMORY =
  /out of memory|out of bounds|enlarge memory|allocation fail|Aborted\(|context.{0,12}lost|lost.{0,12}context|device.{0,12}lost|lost.{0,12}device|unable to create (webgl ?)?texture|texture size|webgl maximum|exceeds the (max|limit)|typed array length|mappedAtCreation|INCOMPLETE_ATTACHMENT/i;

/** Whether an error of TF.js means that the tile was too large, or that the device went away. */
export function isMemoryFailure(error: unknown): boolean {
  return MEMORY.test(messageOf(error));
}
