/** Weights of a 3x3 convolution as the products of Winograd's F(4x4, 3x3) read them; see `esrgan_torch/engines/native/winograd.py`. */

const STEP = 16; // channels of a map are padded to a multiple of it
export const FREQUENCIES = 36;
// G of F(4x4, 3x3) (Lavin and Gray 2015): a line of 3 weights becomes 6 frequencies
const LINE = [
  [6, 0, 0],
  [-4, -4, -4],
  [-4, 4, -4],
  [1, 2, 4],
  [1, -2, 4],
  [0, 0, 24],
].map((row) => row.map((value) => value / 24));
// what the taps of a line become on the map before an enlargement by two, for either of the two pixels
const ENLARGED = [
  [
    [1, 0, 0],
    [0, 1, 1],
    [0, 0, 0],
  ],
  [
    [0, 0, 0],
    [1, 1, 0],
    [0, 0, 1],
  ],
];

/** Channels of a map that is stored. */
export function padded(channels: number): number {
  return Math.ceil(channels / STEP) * STEP;
}

export interface Product {
  /** The filter, (side, side, all inputs, all outputs). */
  readonly filter: Float32Array;
  /** For every input of the product its number in the filter; -1: it is padding. */
  readonly inputs: readonly number[];
  /** How many inputs and outputs the filter has. */
  readonly filterInputs: number;
  readonly filterOutputs: number;
  /** For every output the filter's; -1: it is padding. A multiple of 16. */
  readonly outputs: readonly number[];
  /** 2: outputs come in four parts, the pixels that each pixel becomes. */
  readonly enlarge: 1 | 2;
}

/**
 * The 36 matrices of a product, (inputs, outputs) each, one after the other. A matrix is cut into panels of two vectors
 * of outputs.
 *
 * @param lanes floats of a vector
 * @param target gets 36 * inputs * outputs * enlarge² floats
 */
export function transform(product: Product, lanes: number, target: Float32Array): void {
  const { inputs, outputs, enlarge } = product;
  const panel = 2 * lanes;
  const all = outputs.length * enlarge ** 2;
  const matrix = inputs.length * all;
  const taps = new Float64Array(9);
  const half = new Float64Array(18);
  for (let part = 0; part < enlarge ** 2; part++) {
    for (const [n, output] of outputs.entries()) {
      const column = part * outputs.length + n;
      const place = Math.floor(column / panel) * panel * inputs.length + (column % panel);
      for (const [k, input] of inputs.entries()) {
        if (input < 0 || output < 0) {
          for (let f = 0; f < FREQUENCIES; f++) target[f * matrix + place + k * panel] = 0;
          continue;
        }
        read(product, input, output, part, taps);
        for (let i = 0; i < 6; i++) {
          const [a, b, c] = LINE[i] as [number, number, number];
          for (let x = 0; x < 3; x++) half[i * 3 + x] = a * taps[x]! + b * taps[3 + x]! + c * taps[6 + x]!;
        }
        for (let i = 0; i < 6; i++) {
          for (let j = 0; j < 6; j++) {
            const [a, b, c] = LINE[j] as [number, number, number];
            target[(i * 6 + j) * matrix + place + k * panel] =
              a * half[i * 3]! + b * half[i * 3 + 1]! + c * half[i * 3 + 2]!;
          }
        }
      }
    }
  }
}

/** The matrix of a 1x1 convolution, laid out as each of `transform`'s. */
export function layOut(product: Product, lanes: number, target: Float32Array): void {
  const { filter, filterOutputs, inputs, outputs } = product;
  const panel = 2 * lanes;
  for (const [n, output] of outputs.entries()) {
    const place = Math.floor(n / panel) * panel * inputs.length + (n % panel);
    for (const [k, input] of inputs.entries())
      target[place + k * panel] = input < 0 || output < 0 ? 0 : filter[input * filterOutputs + output]!;
  }
}

/** The nine taps between an input and an output. */
function read(product: Product, input: number, output: number, part: number, taps: Float64Array): void {
  const { filter, filterInputs, filterOutputs, enlarge } = product;
  const tap = (y: number, x: number) =>
    filter[((y * 3 + x) * filterInputs + input) * filterOutputs + output]!;
  if (enlarge === 1) {
    for (let y = 0; y < 3; y++) for (let x = 0; x < 3; x++) taps[3 * y + x] = tap(y, x);
    return;
  }
  const rows = ENLARGED[part >> 1]!;
  const columns = ENLARGED[part & 1]!;
  for (let y = 0; y < 3; y++)
    for (let x = 0; x < 3; x++) {
      let sum = 0;
      for (let i = 0; i < 3; i++)
        for (let j = 0; j < 3; j++) sum += rows[y]![i]! * columns[x]![j]! * tap(i, j);
      taps[3 * y + x] = sum;
    }
}
