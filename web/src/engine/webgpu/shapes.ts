/** How the work of a convolution is cut: a small table by vendor and limits. Which of its rows is fastest is measured. */
import { inputsOf, productsOf, type ConvolutionSpec, type Precision } from "./spec.js";

export interface Shape {
  /** Threads across and down. */
  readonly workgroup: readonly [number, number];
  /** Pixels that a thread computes, across and down. */
  readonly pixels: readonly [number, number];
  /** Groups of four outputs that a thread computes. */
  readonly outputs: number;
  /** Whether a workgroup shares pixels and weights in its own memory. */
  readonly staged: boolean;
}

const shape = (
  workgroup: [number, number],
  pixels: [number, number],
  outputs: number,
  staged: boolean,
): Shape => ({ workgroup, pixels, outputs, staged });

// processors have no memory of a workgroup's own, and run a barrier as a loop of its own
// and take seconds to compile what is unrolled
const SOFTWARE = [shape([8, 4], [1, 1], 1, false), shape([8, 4], [2, 1], 2, false)];
// 255 registers a thread, fast workgroup memory
const NVIDIA = [
  shape([16, 8], [2, 2], 4, true),
  shape([8, 8], [2, 2], 4, true),
  shape([16, 8], [2, 4], 2, true),
  shape([16, 16], [2, 2], 2, true),
];
// threads in step are 32 or 64
const AMD = [
  shape([16, 8], [2, 2], 4, true),
  shape([8, 8], [2, 2], 4, true),
  shape([16, 8], [2, 2], 2, true),
  shape([8, 8], [2, 2], 4, false),
];
// caches serve what workgroup memory would
const APPLE = [
  shape([8, 8], [2, 2], 4, false),
  shape([8, 8], [2, 2], 4, true),
  shape([8, 4], [2, 2], 2, false),
  shape([16, 8], [2, 2], 2, true),
];
// few registers a thread: Intel's, and those of phones
const SMALL = [
  shape([8, 8], [2, 1], 4, true),
  shape([8, 8], [2, 2], 2, true),
  shape([8, 8], [2, 2], 2, false),
  shape([8, 4], [2, 1], 2, false),
];
const VENDORS: Readonly<Record<string, readonly Shape[]>> = { nvidia: NVIDIA, amd: AMD, apple: APPLE };

export interface Limits {
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupStorageSize: number;
}

/** Shapes to try on an adapter, the likeliest first. */
export function shapesFor(vendor: string, software: boolean): readonly Shape[] {
  return software ? SOFTWARE : (VENDORS[vendor.toLowerCase()] ?? SMALL);
}

/** Whether a device's limits allow it for these convolutions. */
export function fits(
  shape: Shape,
  specs: readonly ConvolutionSpec[],
  precision: Precision,
  limits: Limits,
): boolean {
  const [x, y] = shape.workgroup;
  if (x * y > limits.maxComputeInvocationsPerWorkgroup) return false;
  return specs.every((spec) => storageOf(shape, spec, precision) <= limits.maxComputeWorkgroupStorageSize);
}

/** Bytes of a workgroup's memory. */
function storageOf(shape: Shape, spec: ConvolutionSpec, precision: Precision): number {
  if (!shape.staged) return 0;
  const [across, down] = blockOf(shape, spec.enlarge);
  const [x, y] = shape.workgroup;
  const values = 4 * (x * across + 2) * (y * down + 2) + 16 * outputsOf(shape, spec) * productsOf(spec);
  return (precision === "float16" ? 2 : 4) * values;
}

/** Pixels of the map before an enlargement that a thread reads the middle of: it makes four of each. */
export function blockOf({ pixels }: Shape, enlarge: 1 | 2): [number, number] {
  const [across, down] = pixels;
  return [Math.max(across / enlarge, 1), Math.max(down / enlarge, 1)].map(Math.floor) as [number, number];
}

/** Groups of outputs that a thread computes: as many as the shape says, or the next smaller part of all. */
export function outputsOf(shape: Shape, { outputs }: ConvolutionSpec): number {
  let together = Math.min(shape.outputs, outputs);
  while (outputs % together) together--;
  return together;
}

/** Multiply-adds of a convolution for each pixel of its grid. */
export function workOf(spec: ConvolutionSpec): number {
  return 16 * spec.outputs * inputsOf(spec) * productsOf(spec);
}
