/** Layers that the kernels know: 3x3 and 1x1 convolutions with what follows them. */

/** The graph has something that the kernels do not compute; the message says what. */
export class Unsupported extends Error {
  override name = "Unsupported";
}

/** Channels of the picture: folded by `fold`, or each repeated `copies` times. */
export interface Load {
  readonly kind: "load";
  readonly channels: number;
  readonly fold: number;
  readonly copies: number;
  /** What becomes of a value: (value + offset) * factor, by the picture's channel. */
  readonly normalised?: { readonly offset: Float32Array; readonly factor: Float32Array } | undefined;
}

/** After the bias. "gate", of SPAN: (y + x) * (sigmoid(y) - 0.5), where x is the first residual, not added again. */
export type Activation = "none" | "prelu" | "silu" | "gate";

/** The features that a tail begins with. */
export interface Given {
  readonly kind: "given";
  readonly channels: number;
}

export interface Convolution {
  readonly kind: "convolution";
  readonly name: string;
  /** Their channels follow one another. */
  readonly sources: readonly Layer[];
  /** (side, side, inputs, outputs). */
  readonly filter: Float32Array;
  /** 3 or 1. */
  readonly side: 1 | 3;
  readonly bias: Float32Array;
  readonly outputs: number;
  activation: Activation;
  /** PReLU's, one for each output. */
  slopes: Float32Array | undefined;
  /** In this order: result = result * factor + map. */
  readonly residuals: { readonly factor: number; readonly map: Layer }[];
  /** The source is enlarged by nearest neighbour before. */
  readonly enlarge: 1 | 2;
}

export type Layer = Load | Given | Convolution;

export interface Layers {
  readonly trunk: Convolution;
  /** The tail's last convolution, or by how much the features are shuffled to space. */
  readonly tail: Convolution | { readonly kind: "shuffle"; readonly size: number };
  /** Channels of the features, in the order of the graph. */
  readonly features: number;
}

/** Channels of a layer's map. */
export function channelsOf(layer: Layer): number {
  return layer.kind === "convolution" ? layer.outputs : layer.channels;
}
