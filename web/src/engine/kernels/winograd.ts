/** Weights of a 3x3 convolution as the products of Winograd's F(4x4, 3x3) read them; see `esrgan_torch/engines/native/winograd.py`. */

const STEP = 16; // channels of a map are padded to a multiple of it
const SIDE = 6; // frequencies along an axis
export const FREQUENCIES = SIDE ** 2;
// points of the transforms beside 0 and infinity: `esrgan_torch/engines/native/source/lines.h`
const POINTS = [0, 11 / 16, -11 / 16, 3 / 2, -3 / 2];
// G of F(4x4, 3x3) (Lavin and Gray 2015): a line of 3 weights becomes 6 frequencies
const LINE = [
  ...POINTS.map((point) => {
    const others = POINTS.filter((other) => other !== point);
    const factor = others.reduce((product, other) => product * (point - other), 1);
    return [1 / factor, point / factor, point ** 2 / factor];
  }),
  [0, 0, 1],
];
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

/** Along an axis the first of the two pixels that a pixel becomes has no weights at the last frequency, the second none at the first. */
const unweighted = (phase: number) => (phase === 0 ? SIDE - 1 : 0);

/** Floats of `transform`'s result. */
export function transformedSize(inputs: number, outputs: number, enlarge: 1 | 2): number {
  const lines = enlarge === 1 ? SIDE : enlarge * (SIDE - 1); // of all parts along an axis
  return lines ** 2 * inputs * outputs;
}

/**
 * The 36 matrices of a product, (inputs, outputs) each, one after the other. A matrix is cut into panels of two vectors
 * of outputs. Of an enlargement a frequency has a matrix for each row of the four parts, of those parts that have
 * weights there.
 *
 * @param lanes floats of a vector
 * @param target gets `transformedSize` floats
 */
export function transform(product: Product, lanes: number, target: Float32Array): void {
  const { inputs, outputs, enlarge } = product;
  const panel = 2 * lanes;
  // for every frequency and row of parts: where its matrix begins, and which is its first part
  const starts: { place: number; left: number }[] = [];
  let end = 0;
  for (let f = 0; f < FREQUENCIES; f++)
    for (let y = 0; y < enlarge; y++) {
      const column = f % SIDE;
      const left = enlarge > 1 && column === unweighted(0) ? 1 : 0;
      const right = enlarge > 1 && column === unweighted(1) ? 1 : 0;
      starts.push({ place: end, left });
      if (enlarge > 1 && Math.floor(f / SIDE) === unweighted(y)) continue;
      end += (enlarge - left - right) * outputs.length * inputs.length;
    }
  const taps = new Float64Array(9);
  const half = new Float64Array(18);
  for (let part = 0; part < enlarge ** 2; part++) {
    const [y, x] = [Math.floor(part / enlarge), part % enlarge];
    const [noRow, noColumn] = enlarge > 1 ? [unweighted(y), unweighted(x)] : [SIDE, SIDE];
    for (const [n, output] of outputs.entries()) {
      for (const [k, input] of inputs.entries()) {
        const none = input < 0 || output < 0;
        if (!none) {
          read(product, input, output, part, taps);
          for (let i = 0; i < SIDE; i++) {
            const [a, b, c] = LINE[i] as [number, number, number];
            for (let t = 0; t < 3; t++) half[i * 3 + t] = a * taps[t]! + b * taps[3 + t]! + c * taps[6 + t]!;
          }
        }
        for (let i = 0; i < SIDE; i++) {
          for (let j = 0; j < SIDE; j++) {
            if (i === noRow || j === noColumn) continue;
            const [a, b, c] = LINE[j] as [number, number, number];
            const value = a * half[i * 3]! + b * half[i * 3 + 1]! + c * half[i * 3 + 2]!;
            const { place, left } = starts[(i * SIDE + j) * enlarge + y]!;
            const column = (x - left) * outputs.length + n;
            const within = Math.floor(column / panel) * panel * inputs.length + (column % panel);
            target[place + within + k * panel] = none ? 0 : value;
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
