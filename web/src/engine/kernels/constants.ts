/** The weights of a graph as float32, expanded from what the shards hold. */
import type { Model } from "../../models/download.js";
import type { GraphNode } from "../../models/manifest.js";

export interface Constant {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32";
  readonly quantization?: { readonly dtype: string; readonly scale?: number; readonly min?: number };
}

const BYTES: Record<string, number> = { float32: 4, int32: 4, float16: 2, uint8: 1, uint16: 2 };

/** Constants by the name of their node, each expanded when it is asked for. */
export class Constants {
  private readonly places = new Map<string, { entry: Entry; at: number }>();
  private readonly nodes: ReadonlyMap<string, GraphNode>;
  private readonly known = new Map<string, Constant[]>();

  constructor(private readonly model: Model) {
    this.nodes = new Map(model.manifest.nodes.map((node) => [node.name, node]));
    let at = 0;
    for (const group of model.manifest.document["weightsManifest"] as { weights: Entry[] }[]) {
      for (const entry of group.weights) {
        this.places.set(entry.name, { entry, at });
        at += sizeOf(entry.shape) * BYTES[entry.quantization?.dtype ?? entry.dtype]!;
      }
    }
  }

  /** Whether a name, of a node or of one of its results ("name:1"), is computed from constants alone. */
  has(name: string): boolean {
    const node = this.nodes.get(withoutPort(name));
    if (!node) return false;
    if (node.op === "Const") return this.places.has(node.name);
    const inputs = node.input ?? [];
    return node.op in FOLDED && inputs.length > 0 && inputs.every((input) => this.has(input));
  }

  get(name: string): Constant {
    const base = withoutPort(name);
    let results = this.known.get(base);
    if (!results) {
      const node = this.nodes.get(base)!;
      results =
        node.op === "Const"
          ? [this.read(base)]
          : FOLDED[node.op]!((node.input ?? []).map((input) => this.get(input)));
      // a stack of filters serves many; a filter is asked for once
      if (results.length > 1) this.known.set(base, results);
    }
    return results[Number(/:(\d+)$/.exec(name)?.[1] ?? 0)]!;
  }

  private read(name: string): Constant {
    const { entry, at } = this.places.get(name)!;
    const { shape, dtype, quantization } = entry;
    const stored = quantization?.dtype ?? dtype;
    const bytes = this.bytes(at, sizeOf(shape) * BYTES[stored]!);
    if (stored === "int32") return { shape, values: new Int32Array(bytes) };
    if (stored === "float32") return { shape, values: new Float32Array(bytes) };
    if (stored === "float16") return { shape, values: Float32Array.from(new Uint16Array(bytes), fromHalf) };
    const { scale = 1, min = 0 } = quantization!;
    const levels = stored === "uint8" ? new Uint8Array(bytes) : new Uint16Array(bytes);
    return { shape, values: Float32Array.from(levels, (level) => level * scale + min) };
  }

  /** Some bytes of all shards one after the other. */
  private bytes(from: number, length: number): ArrayBuffer {
    const result = new Uint8Array(length);
    let start = 0;
    for (const shard of this.model.shards) {
      const first = Math.max(from, start);
      const end = Math.min(from + length, start + shard.byteLength);
      if (first < end) result.set(new Uint8Array(shard, first - start, end - first), first - from);
      start += shard.byteLength;
    }
    return result.buffer;
  }
}

const EXPONENTS = Float64Array.from({ length: 31 }, (_, exponent) => 2 ** (exponent - 15));

/** The number that the bits of a float16 stand for. */
export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * EXPONENTS[exponent]!;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function withoutPort(name: string): string {
  return name.replace(/:\d+$/, "");
}

/** What `esrgan convert --quantize uint8` adds to a graph: a few operations that expand weights. */
const FOLDED: Record<string, (given: Constant[]) => Constant[]> = {
  Identity: ([given]) => [given!],
  Sub: ([a, b]) => [broadcast(a!, b!, (x, y) => x - y)],
  Mul: ([a, b]) => [broadcast(a!, b!, (x, y) => x * y)],
  Reshape: ([given, shape]) => [{ shape: [...shape!.values], values: given!.values }],
  SplitV: ([given, sizes, axis]) => split(given!, [...sizes!.values], axis!.values[0]!),
};

function broadcast(a: Constant, b: Constant, operation: (x: number, y: number) => number): Constant {
  const rank = Math.max(a.shape.length, b.shape.length);
  const whole = (shape: readonly number[]) => [...Array<number>(rank - shape.length).fill(1), ...shape];
  const [left, right] = [whole(a.shape), whole(b.shape)];
  const shape = left.map((size, axis) => Math.max(size, right[axis]!));
  const values = new Float32Array(sizeOf(shape));
  const strides = (given: number[]) =>
    given.map((size, axis) => (size === 1 ? 0 : sizeOf(given.slice(axis + 1))));
  const steps = [strides(left), strides(right)] as const;
  const position = Array<number>(rank).fill(0);
  let [i, j] = [0, 0];
  for (let at = 0; at < values.length; at++) {
    values[at] = operation(a.values[i]!, b.values[j]!);
    for (let axis = rank - 1; axis >= 0; axis--) {
      i += steps[0][axis]!;
      j += steps[1][axis]!;
      if (++position[axis]! < shape[axis]!) break;
      position[axis] = 0;
      i -= steps[0][axis]! * shape[axis]!;
      j -= steps[1][axis]! * shape[axis]!;
    }
  }
  return { shape, values };
}

function split({ shape, values }: Constant, sizes: number[], axis: number): Constant[] {
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  let start = 0;
  return sizes.map((size) => {
    const part = new Float32Array(outer * size * inner);
    for (let row = 0; row < outer; row++) {
      const from = (row * shape[axis]! + start) * inner;
      part.set(values.subarray(from, from + size * inner), row * size * inner);
    }
    start += size;
    return { shape: shape.map((whole, at) => (at === axis ? size : whole)), values: part };
  });
}
