/** What is asked of a model, and what it tells: types alone, for pages and for Node. */
import type { BackendName, WasmPaths } from "./engine/backend.js";
import type { Picture } from "./images/pixels.js";
import type { Tiling } from "./tiling/plan.js";
import type { EngineName } from "./engine/ways.js";

export interface LoadProgress {
  readonly phase: "download" | "warm-up";
  /** From 0 to 1. */
  readonly share: number;
  /** Bytes of the model's data that are there, and in all. */
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface SessionOptions {
  /** "auto" (unless given): the fastest of those that start and compute a test tile rightly. */
  readonly backend?: BackendName | "auto" | undefined;
  /** "kernels": this library's own; "tfjs": TensorFlow.js; "auto" (unless given): the kernels where they are right. */
  readonly engine?: EngineName | "auto" | undefined;
  /** Bytes that a computation may take; undefined: what suits the backend. */
  readonly memory?: number | undefined;
  /** Where TF.js's .wasm files are: their folder, or the address of each by its name. */
  readonly wasmPaths?: WasmPaths | undefined;
}

/** How a model is asked for: what `fetch` takes, as far as a worker can be told it. */
export interface ModelRequest {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly credentials?: "omit" | "same-origin" | "include" | undefined;
}

/** Fetches in place of the platform's `fetch`: addresses are absolute, and the signal must be heeded. */
export type FetchFunction = (
  address: string,
  options: {
    readonly headers?: Record<string, string>;
    readonly credentials?: "omit" | "same-origin" | "include";
    readonly cache?: "default" | "no-cache";
    readonly signal?: AbortSignal | null;
  },
) => Promise<Response>;

/** What becomes of transparency: enlarged by the network, by bicubic interpolation, or removed. */
export type AlphaMode = "model" | "resize" | "drop";

export interface Settings {
  /** What may be done to fit memory; "auto" unless given. */
  readonly tile?: Tiling | undefined;
  /** "model" unless given. */
  readonly alpha?: AlphaMode | undefined;
  /** How many times as large the result is, above 0 and up to 32; the network's own unless given. */
  readonly scale?: number | undefined;
  /** Pixels of the result; proportions stay: with both it fits into the box. Not together with `scale`. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

/** A tile that is finished, in output pixels of the network's own scale. */
export interface TileEvent {
  readonly done: number;
  /** Grows when a tile has to be divided. */
  readonly total: number;
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
  /** The tile's pixels; undefined while transparency, or one of several colours, is computed. */
  readonly preview: Picture | undefined;
}

export interface Hooks {
  readonly signal?: AbortSignal | undefined;
  readonly onTile?: ((tile: TileEvent) => void) | undefined;
  /** Told the share that is done, from 0 to 1, more often than `onTile`. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/** How a picture was computed. */
export interface Account {
  readonly backend: BackendName;
  readonly engine: EngineName;
  /** Why these. */
  readonly reason: string;
  /** Whether the result, at the network's own scale, equals the untiled one to float rounding. */
  readonly exact: boolean;
  /** How the picture was cut, and why. */
  readonly plan: string;
  /** Tiles that did not fit in memory and were divided. */
  readonly divided: number;
  readonly milliseconds: number;
}
