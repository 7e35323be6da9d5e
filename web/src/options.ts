/** Options and results, for pages and for Node: types only. */
import type { BackendName, WasmPaths } from "./engine/backend.js";
import type { Picture } from "./images/pixels.js";
import type { Tiling } from "./tiling/plan.js";
import type { EngineName } from "./engine/ways.js";

export interface LoadProgress {
  readonly phase: "download" | "warm-up";
  /** From 0 to 1. */
  readonly share: number;
  /** Bytes of the model's data that have arrived. */
  readonly bytes: number;
  /** Bytes of the model's data in all. */
  readonly totalBytes: number;
}

export interface SessionOptions {
  /** "auto" (default): the fastest backend that starts and computes a test tile correctly. */
  readonly backend?: BackendName | "auto" | undefined;
  /** "kernels": this library's own code; "tfjs": TensorFlow.js; "auto" (default): the faster one that computes correctly. */
  readonly engine?: EngineName | "auto" | undefined;
  /** Bytes of memory that a computation may use. Default: a limit that suits the backend. */
  readonly memory?: number | undefined;
  /** Where TF.js's .wasm files are: the address of their folder, or the address of each file by its name. */
  readonly wasmPaths?: WasmPaths | undefined;
}

/** How to fetch the model's files: those options of `fetch` that can be sent to a worker. */
export interface ModelRequest {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly credentials?: "omit" | "same-origin" | "include" | undefined;
}

/** Replaces the platform's `fetch`. It is given absolute addresses, and must stop when the signal is aborted. */
export type FetchFunction = (
  address: string,
  options: {
    readonly headers?: Record<string, string>;
    readonly credentials?: "omit" | "same-origin" | "include";
    readonly cache?: "default" | "no-cache";
    readonly signal?: AbortSignal | null;
  },
) => Promise<Response>;

/** Transparency is enlarged by the network ("model") or by bicubic interpolation ("resize"), or removed ("drop"). */
export type AlphaMode = "model" | "resize" | "drop";

export interface Settings {
  /** How the picture may be cut to fit in memory. Default: "auto". */
  readonly tile?: Tiling | undefined;
  /** Default: "model". */
  readonly alpha?: AlphaMode | undefined;
  /** How many times as wide and high the result is: above 0, at most 32. Default: the network's scale. */
  readonly scale?: number | undefined;
  /**
   * Width of the result in pixels. The proportions are kept: with `width` and `height`, the result fits into both. Not
   * together with `scale`.
   */
  readonly width?: number | undefined;
  /** Height of the result in pixels; see `width`. */
  readonly height?: number | undefined;
}

/** A finished tile. Its position and size are in pixels of the result at the network's own scale. */
export interface TileEvent {
  /** How many tiles are finished, this one included. */
  readonly done: number;
  /** How many tiles there are. It grows when a tile has to be divided. */
  readonly total: number;
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
  /** The tile's pixels; undefined while transparency or a single colour channel is computed. */
  readonly preview: Picture | undefined;
}

export interface Hooks {
  readonly signal?: AbortSignal | undefined;
  readonly onTile?: ((tile: TileEvent) => void) | undefined;
  /** Called with the finished share, from 0 to 1, more often than `onTile`. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/** How a picture was computed. */
export interface Account {
  readonly backend: BackendName;
  readonly engine: EngineName;
  /** Why this backend and this engine were chosen. */
  readonly reason: string;
  /**
   * Whether the result, at the network's own scale, equals that of the whole picture computed at once, except for the
   * rounding of floating-point numbers.
   */
  readonly exact: boolean;
  /** How the picture was cut, and why. */
  readonly plan: string;
  /** How many tiles did not fit in memory and were divided. */
  readonly divided: number;
  readonly milliseconds: number;
}
