/** What both entries, the browser's and Node's, export. */
export type { BackendName } from "./backend.js";
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
export type { Picture } from "./pixels.js";
export type { Tiling } from "./plan.js";
export type { Account, AlphaMode, LoadProgress, TileEvent } from "./session.js";
export { planTiles, type Tile } from "./tiling.js";
