/** What nodes of a graph stand for, while it is read. */
import { Unsupported, type Convolution, type Layer, type Load } from "./layers.js";

/** The picture, perhaps several times side by side. */
export interface PictureValue {
  readonly kind: "picture";
  readonly copies: number;
  readonly normalised?: Load["normalised"];
}

/** What a node of the graph stands for. */
export type Value =
  | PictureValue
  | { readonly kind: "maps"; readonly maps: readonly Layer[] }
  /** A convolution's result, not read by anybody else, times a number. */
  | { readonly kind: "scaled"; readonly layer: Convolution; readonly factor: number }
  /** The sigmoid of a convolution's result, perhaps less a half. */
  | { readonly kind: "sigmoid"; readonly layer: Convolution; readonly centred: boolean }
  /** Of two maps, neither of which is free to add the other. */
  | { readonly kind: "sum"; readonly maps: readonly [Layer, Layer] }
  | { readonly kind: "enlarged"; readonly map: Layer }
  | { readonly kind: "shuffled"; readonly map: Layer; readonly size: number };

export function single(value: Value): Layer {
  if (value.kind === "maps" && value.maps.length === 1) return value.maps[0]!;
  throw new Unsupported("a result is not a single map");
}
