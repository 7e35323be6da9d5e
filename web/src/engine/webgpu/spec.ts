/** What a shader computes, whatever device it is written for: the steps of a program refer to it. */
import type { Activation } from "../kernels/layers.js";

/** "full": vec4 of float32; "half": vec4 of what convolutions read; "pixels": single float32. */
export type Element = "full" | "half" | "pixels";

/**
 * "float16" stores what convolutions read, and multiplies, in half precision; sums are in float32. "rounded" rounds in
 * float32 whatever "float16" would round, for devices without it.
 */
export type Precision = "float32" | "float16" | "rounded";

export interface Binding {
  readonly element: Element;
  readonly written: boolean;
}

/** Groups of four channels that lie together in one of the buffers. */
export interface Source {
  readonly buffer: number;
  readonly groups: number;
}

/** result = result * factor + map; of the picture, whose `channels` repeat, where that is given. */
export interface Residual {
  readonly buffer: number;
  readonly factor: number;
  readonly channels: number | undefined;
}

/** The picture that comes out: pixels of `channels`, each group of outputs spread over size x size of them. */
export interface Pixels {
  readonly buffer: number;
  readonly channels: number;
  readonly size: number;
}

/** Views of the buffers come in this order: sources, residuals, targets, pixels. */
export interface ConvolutionSpec {
  readonly kind: "convolution";
  readonly buffers: readonly Binding[];
  readonly sources: readonly Source[];
  readonly residuals: readonly Residual[];
  /** Buffers of maps that are written. */
  readonly targets: readonly number[];
  readonly pixels: Pixels | undefined;
  /** Groups of outputs. */
  readonly outputs: number;
  /** Taps along an axis: 3 or 1, and 2 for each of the four pixels that an enlargement by two makes of one. */
  readonly taps: 1 | 2 | 3;
  readonly enlarge: 1 | 2;
  readonly activation: Activation;
}

/** The picture, read into groups of channels; views: the picture, the map. */
export interface LoadSpec {
  readonly kind: "load";
  readonly buffers: readonly Binding[];
  /** Of the picture. */
  readonly channels: number;
  readonly fold: number;
  readonly normalised: boolean;
}

export type Spec = ConvolutionSpec | LoadSpec;

export function viewsOf(spec: Spec): number {
  if (spec.kind === "load") return 2;
  return spec.sources.length + spec.residuals.length + spec.targets.length + (spec.pixels ? 1 : 0);
}

export function inputsOf({ sources }: ConvolutionSpec): number {
  return sources.reduce((sum, { groups }) => sum + groups, 0);
}

/** Products of four by four values for each pixel of the grid, a group of outputs and a group of inputs. */
export function productsOf({ taps, enlarge }: ConvolutionSpec): number {
  return (taps * enlarge) ** 2;
}
