/** What both entries, the browser's and Node's, export. */
import "./disposable.js";

export type { BackendName, WasmPaths } from "./backend.js";
export type { EngineName } from "./ways.js";
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
export type { ModelInfo } from "./manifest.js";
export type { FetchFunction, ModelRequest } from "./options.js";
export type { Picture, Pixels } from "./pixels.js";
export type { Tiling } from "./plan.js";
export type {
  Account,
  AlphaMode,
  Hooks,
  LoadProgress,
  SessionOptions,
  Settings,
  TileEvent,
} from "./options.js";
export { planTiles, type Tile } from "./tiling.js";
