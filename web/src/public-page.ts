/** What the entries for browsers export in addition to those for Node. */
export type { BlobFormat } from "./images/canvas.js";
export type { ColourSpace } from "./images/colour-space.js";
export type { Source } from "./images/sources.js";
export type { LoadOptions, ModelSource, Outputs, UpscaleOptions, UpscaleResult } from "./upscaler.js";
