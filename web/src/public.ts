/** What all entries export, those for browsers and for Node. */
import "./disposable.js";

export type { BackendName, WasmPaths } from "./engine/backend.js";
export type { EngineName } from "./engine/ways.js";
export {
  BackendError,
  DownloadError,
  EsrganError,
  IntegrityError,
  ModelError,
  NonFiniteError,
  OptionError,
  OutOfMemoryError,
} from "./errors.js";
export type { ModelInfo } from "./models/manifest.js";
export type { FetchFunction, ModelRequest } from "./options.js";
export type { Picture, Pixels } from "./images/pixels.js";
export type { Tiling } from "./tiling/plan.js";
export type {
  Account,
  AlphaMode,
  Hooks,
  LoadProgress,
  SessionOptions,
  Settings,
  TileEvent,
} from "./options.js";
export { planTiles, type Tile } from "./tiling/tiling.js";
