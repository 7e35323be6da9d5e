/** What the browser's entries export beside what Node's does. */
export type { BlobFormat, ColourSpace } from "./canvas.js";
export type { Source } from "./sources.js";
export type { LoadOptions, ModelSource, Outputs, UpscaleOptions, UpscaleResult } from "./upscaler.js";
