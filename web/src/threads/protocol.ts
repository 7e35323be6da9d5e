/** What a page and its worker say to each other. */
import type { BackendName, StartOptions } from "../engine/backend.js";
import type { PlainError } from "../errors.js";
import type { ModelInfo } from "../models/manifest.js";
import type { Account, LoadProgress, ModelRequest, SessionOptions, Settings, TileEvent } from "../options.js";
import type { Picture } from "../images/pixels.js";
import type { FileMap } from "../models/places.js";
import type { Encoding } from "../images/canvas.js";
import type { Portable } from "../images/sources.js";
import type { EngineName } from "../engine/ways.js";

/** Where a model is: model.json's absolute address, or its files by their names. */
export type Origin = string | { readonly name: string; readonly files: FileMap };

export interface RunnerOptions extends Omit<SessionOptions, "wasmPaths">, StartOptions {
  /** Keep what is fetched in the browser's Cache API. */
  readonly cache: boolean;
  readonly request: ModelRequest | undefined;
}

export interface RunnerHooks {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}

export interface Request {
  readonly settings: Settings;
  /** Encode the result; undefined: give its pixels. */
  readonly encode: Encoding | undefined;
  /** A bitmap is as good as pixels, where the GPU has it. */
  readonly onGpu: boolean;
  readonly wantsTiles: boolean;
  readonly wantsProgress: boolean;
}

export interface Answer extends Account {
  readonly content: Picture | Blob | ImageBitmap;
  readonly width: number;
  readonly height: number;
}

export interface RequestHooks {
  readonly signal?: AbortSignal | undefined;
  readonly onTile?: ((tile: TileEvent) => void) | undefined;
  readonly onProgress?: ((share: number) => void) | undefined;
}

/** Runs a model, in this thread or in another. */
export interface Runner {
  readonly info: ModelInfo;
  readonly backend: BackendName;
  readonly engine: EngineName;
  readonly reason: string;
  upscale(portable: Portable, request: Request, hooks: RequestHooks): Promise<Answer>;
  dispose(): Promise<void>;
}

export type ToWorker =
  | { readonly kind: "load"; readonly id: number; readonly origin: Origin; readonly options: RunnerOptions }
  | { readonly kind: "upscale"; readonly id: number; readonly portable: Portable; readonly request: Request }
  | { readonly kind: "abort"; readonly id: number }
  | { readonly kind: "dispose"; readonly id: number };

export type FromWorker =
  | { readonly kind: "loading"; readonly id: number; readonly progress: LoadProgress }
  | {
      readonly kind: "loaded";
      readonly id: number;
      readonly info: ModelInfo;
      readonly backend: BackendName;
      readonly engine: EngineName;
      readonly reason: string;
    }
  | { readonly kind: "progress"; readonly id: number; readonly share: number }
  | { readonly kind: "tile"; readonly id: number; readonly tile: TileEvent }
  | { readonly kind: "answer"; readonly id: number; readonly answer: Answer }
  | { readonly kind: "disposed"; readonly id: number }
  | { readonly kind: "failed"; readonly id: number; readonly error: PlainError };
