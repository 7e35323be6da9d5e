/** What the library of kernels is given: maps, and operations on them, see `esrgan_torch/engines/native/source/esrgan_native.h`. */
import type { Convolution, Load } from "./layers.js";

export const RING = 0;
export const PLANE = 1;
export const GIVEN = 2;
export const CONVOLVE = 0;
export const LOAD = 1;
export const STORE = 2;
export const POINTWISE = 3;
export const SOURCES = 5; // the most of an operation
/** Numbers of the given maps in every program: what it reads, and its result. */
export const PICTURE = 0;
export const RESULT = 1;

export interface MapOf {
  readonly kind: number;
  /** Padded. */
  readonly channels: number;
  /** Pixels to one of the program's size, along each axis. */
  readonly scale: number;
}

export interface Operation {
  readonly kind: number;
  readonly sources: readonly number[];
  readonly channels: readonly number[];
  readonly begins: number;
  readonly target: number;
  readonly residuals: readonly { readonly factor: number; readonly map: number }[];
  readonly waits: readonly number[];
  readonly enlarge: number;
  readonly repeat: number;
  /** Where weights come from. */
  readonly layer: Convolution | undefined;
  /** What becomes of a picture that is loaded. */
  readonly normalised: Load["normalised"];
  /** For every stored output the filter's; -1: padding. */
  readonly order: readonly number[];
}

export interface Program {
  readonly maps: readonly MapOf[];
  readonly phases: readonly { readonly first: number; readonly length: number; readonly repeats: number }[];
  readonly operations: readonly Operation[];
}
