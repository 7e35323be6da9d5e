/**
 * A graph of TF.js as layers that the kernels know: 3x3 and 1x1 convolutions with what follows them.
 *
 * What is recognised is a form of graph, not a network's name: convolutions of the picture, of maps and of maps joined
 * along the channels, with PReLU, LeakyReLU, SiLU or SPAN's attention, sums with earlier maps times a number, nearest
 * enlargement by two before a convolution, and a shuffle to space at the end. Anything else is `Unsupported`, and TF.js
 * computes the graph.
 */
import type { Model } from "../../models/download.js";
import type { GraphNode } from "../../models/manifest.js";
import { Constants, type Constant } from "./constants.js";
import { numbersOf, numberOf, textOf, textsOf, alphaOf } from "./attributes.js";
import {
  channelsOf,
  Unsupported,
  type Convolution,
  type Given,
  type Layer,
  type Layers,
  type Load,
} from "./layers.js";

/** What a node of the graph stands for. */
type Value =
  | { readonly kind: "picture"; readonly copies: number; readonly normalised?: Load["normalised"] }
  | { readonly kind: "maps"; readonly maps: readonly Layer[] }
  /** A convolution's result, not read by anybody else, times a number. */
  | { readonly kind: "scaled"; readonly layer: Convolution; readonly factor: number }
  /** The sigmoid of a convolution's result, perhaps less a half. */
  | { readonly kind: "sigmoid"; readonly layer: Convolution; readonly centred: boolean }
  /** Of two maps, neither of which is free to add the other. */
  | { readonly kind: "sum"; readonly maps: readonly [Layer, Layer] }
  | { readonly kind: "enlarged"; readonly map: Layer }
  | { readonly kind: "shuffled"; readonly map: Layer; readonly size: number };

/** @throws Unsupported */
export function layersOf(model: Model): Layers {
  const { manifest } = model;
  const reader = new Reader(model);
  const trunk = single(reader.value(manifest.info.featuresNode));
  if (trunk.kind !== "convolution") throw new Unsupported("its features are no convolution's result");
  const features = trunk.outputs;
  const last = reader.tail({ kind: "given", channels: features });
  if (last.kind === "shuffled" && last.map.kind === "given") {
    return { trunk, tail: { kind: "shuffle", size: last.size }, features };
  }
  const tail = single(last);
  // a network of scale 1 may end with its features
  if (tail.kind === "given") return { trunk, tail: { kind: "shuffle", size: 1 }, features };
  if (tail.kind !== "convolution") throw new Unsupported("its result is no convolution's");
  return { trunk, tail, features };
}

function single(value: Value): Layer {
  if (value.kind === "maps" && value.maps.length === 1) return value.maps[0]!;
  throw new Unsupported("a result is not a single map");
}

class Reader {
  private readonly constants: Constants;
  private readonly nodes: ReadonlyMap<string, GraphNode>;
  private readonly uses = new Map<string, number>();
  private values = new Map<string, Value>();
  /** Convolutions in the order in which they were found: after all that they read. */
  private readonly order = new Map<Layer, number>();

  constructor(private readonly model: Model) {
    const { nodes, output } = model.manifest;
    this.constants = new Constants(model);
    this.nodes = new Map(nodes.map((node) => [node.name, node]));
    for (const name of [...nodes.flatMap((node) => [...new Set(node.input ?? [])]), output])
      this.uses.set(name, (this.uses.get(name) ?? 0) + 1);
  }

  tail(given: Given): Value {
    this.values = new Map([[this.model.manifest.info.featuresNode, { kind: "maps", maps: [given] }]]);
    this.order.set(given, -1);
    return this.value(this.model.manifest.output);
  }

  value(name: string): Value {
    const known = this.values.get(name);
    if (known) return known;
    const value = this.read(name);
    this.values.set(name, value);
    return value;
  }

  private read(name: string): Value {
    const { input } = this.model.manifest;
    if (name === input) return { kind: "picture", copies: 1 };
    const node = this.nodes.get(name);
    if (!node) throw new Unsupported(`it has no node "${name}"`);
    const inputs = (node.input ?? []).filter((given) => !given.startsWith("^"));
    switch (node.op) {
      case "Identity":
        return this.value(inputs[0]!);
      case "_FusedConv2D":
      case "Conv2D":
        return this.convolution(node, inputs);
      case "LeakyRelu":
        return this.activated(node, inputs, (count) => new Float32Array(count).fill(alphaOf(node, "alpha")));
      case "Prelu":
        return this.activated(node, inputs, (count) => this.vector(inputs[1]!, count));
      case "ConcatV2":
        return this.joined(node, inputs.slice(0, -1));
      case "Add":
      case "AddV2":
        return this.sum(inputs);
      case "Mul":
        return this.product(inputs);
      case "Sigmoid":
        return { kind: "sigmoid", layer: this.plain(inputs[0]!), centred: false };
      case "Sub":
        return this.difference(inputs);
      case "ResizeNearestNeighbor":
        return this.resized(node, inputs);
      case "DepthToSpace":
        return this.shuffled(node, inputs);
      default:
        throw new Unsupported(`its node "${name}" is a ${node.op}`);
    }
  }

  private convolution(node: GraphNode, inputs: string[]): Value {
    const { shape, values } = this.constant(inputs[1]!);
    const [height, width, channels, outputs] = shape as [number, number, number, number];
    const strides = numbersOf(node, "strides") ?? [1, 1, 1, 1];
    const stride = strides[1]!;
    const side = height === 1 ? 1 : 3;
    const unusual =
      shape.length !== 4 ||
      height !== side * stride ||
      width !== height ||
      strides[2] !== stride ||
      (numbersOf(node, "dilations") ?? []).some((value) => value !== 1) ||
      textOf(node, "padding") !== "SAME" ||
      (textOf(node, "data_format") ?? "NHWC") !== "NHWC";
    if (unusual) throw new Unsupported(`its convolution "${node.name}" is not 3x3 or 1x1`);
    const source = this.value(inputs[0]!);
    if (source.kind === "picture" && side === 1)
      return this.normalised(node, source, values as Float32Array, inputs);
    const { sources, enlarge } = this.sourcesOf(source, stride);
    const given = sources.reduce((sum, layer) => sum + channelsOf(layer), 0);
    if (given !== channels * stride ** 2) throw new Unsupported(`"${node.name}" reads ${given} channels`);
    const fused = textsOf(node, "fused_ops");
    const bias = fused.includes("BiasAdd") ? this.vector(inputs[2]!, outputs) : new Float32Array(outputs);
    let slopes: Float32Array | undefined;
    for (const name of fused) {
      if (name === "LeakyRelu") slopes = new Float32Array(outputs).fill(alphaOf(node, "leakyrelu_alpha"));
      else if (name === "Prelu") slopes = this.vector(inputs[3]!, outputs);
      else if (name !== "BiasAdd") throw new Unsupported(`"${node.name}" has a ${name} in it`);
    }
    const layer: Convolution = {
      kind: "convolution",
      name: node.name,
      sources,
      filter: folded(values as Float32Array, stride, channels, outputs),
      side,
      bias,
      outputs,
      activation: slopes ? "prelu" : "none",
      slopes,
      residuals: [],
      enlarge,
    };
    this.order.set(layer, this.order.size);
    return { kind: "maps", maps: [layer] };
  }

  /** A 1x1 convolution that only shifts and stretches the picture's channels. */
  private normalised(
    node: GraphNode,
    source: Value & { readonly kind: "picture" },
    filter: Float32Array,
    inputs: string[],
  ): Value {
    const count = this.model.manifest.info.inChannels;
    const factor = Float32Array.from({ length: count }, (_, c) => filter[c * count + c]!);
    const diagonal = filter.every((value, index) => (index % (count + 1) === 0 ? value !== 0 : value === 0));
    const plain = textsOf(node, "fused_ops").every((name) => name === "BiasAdd");
    if (source.copies > 1 || source.normalised || filter.length !== count ** 2 || !diagonal || !plain)
      throw new Unsupported(`"${node.name}" mixes the picture's channels`);
    const bias = inputs[2] === undefined ? new Float32Array(count) : this.vector(inputs[2], count);
    return {
      kind: "picture",
      copies: 1,
      normalised: { offset: bias.map((value, c) => value / factor[c]!), factor },
    };
  }

  private sourcesOf(source: Value, stride: number): { sources: readonly Layer[]; enlarge: 1 | 2 } {
    if (source.kind === "picture" && source.copies === 1) {
      const channels = this.model.manifest.info.inChannels * stride ** 2;
      const { normalised } = source;
      return { sources: [{ kind: "load", channels, fold: stride, copies: 1, normalised }], enlarge: 1 };
    }
    if (stride !== 1) throw new Unsupported("a convolution within the network has a stride");
    if (source.kind === "maps") return { sources: source.maps, enlarge: 1 };
    if (source.kind === "enlarged") return { sources: [source.map], enlarge: 2 };
    throw new Unsupported("a convolution reads what is not stored as a map");
  }

  private activated(node: GraphNode, inputs: string[], slopes: (count: number) => Float32Array): Value {
    const layer = this.own(inputs[0]!);
    if (!layer || layer.residuals.length || layer.activation !== "none")
      throw new Unsupported(`"${node.name}" follows no convolution`);
    layer.slopes = slopes(layer.outputs);
    layer.activation = "prelu";
    return { kind: "maps", maps: [layer] };
  }

  private joined(node: GraphNode, inputs: string[]): Value {
    const values = inputs.map((name) => this.value(name));
    if (values.every((value) => value.kind === "picture" && value.copies === 1 && !value.normalised))
      return { kind: "picture", copies: values.length };
    const maps = values.flatMap((value) => (value.kind === "maps" ? value.maps : []));
    if (values.some((value) => value.kind !== "maps"))
      throw new Unsupported(`"${node.name}" joins what is not stored as a map`);
    return { kind: "maps", maps };
  }

  /** A sum of a convolution's result, perhaps times a number, and an earlier map: the convolution adds it. */
  private sum(inputs: string[]): Value {
    const sides = inputs.map((name) => ({ value: this.value(name), own: this.own(name) }));
    const places = sides.map(({ value, own }) => {
      if (value.kind === "scaled") return Infinity;
      return own ? (this.order.get(own) ?? -1) : -1;
    });
    const first = places[0]! > places[1]! ? 0 : 1;
    const [main, other] = [sides[first]!, sides[1 - first]!];
    const once = this.uses.get(inputs[first]!) === 1;
    const layer = main.value.kind === "scaled" ? once && main.value.layer : main.own;
    if (!layer) {
      if (sides.some(({ value }) => value.kind !== "maps"))
        throw new Unsupported("a sum has no convolution before it that nobody else reads");
      return { kind: "sum", maps: [single(main.value), single(other.value)] };
    }
    if (layer.residuals.length === 2) throw new Unsupported("a convolution is followed by three sums");
    const factor = main.value.kind === "scaled" ? main.value.factor : 1;
    layer.residuals.push({ factor, map: this.mapOf(other.value, layer) });
    return { kind: "maps", maps: [layer] };
  }

  private mapOf(value: Value, reader: Convolution): Layer {
    if (value.kind === "picture" && !value.normalised) {
      const channels = this.model.manifest.info.inChannels * value.copies;
      return { kind: "load", channels, fold: 1, copies: value.copies };
    }
    const map = single(value);
    if ((this.order.get(map) ?? -1) >= this.order.get(reader)!)
      throw new Unsupported("a sum is of two maps of which neither can be computed first");
    return map;
  }

  private product(inputs: string[]): Value {
    const number = inputs.findIndex((name) => this.constants.has(name));
    if (number < 0) return this.gated(inputs);
    const { values } = this.constants.get(inputs[number]!);
    const name = inputs[1 - number]!;
    const layer = this.own(name);
    if (!layer || values.length !== 1)
      throw new Unsupported("it multiplies what is no convolution's result, or not by one number");
    return { kind: "scaled", layer, factor: values[0]! };
  }

  /** y * sigmoid(y), and (y + x) * (sigmoid(y) - 0.5), which the convolution of y computes. */
  private gated(inputs: string[]): Value {
    const values = inputs.map((name) => this.value(name));
    const gate = values.find((value) => value.kind === "sigmoid");
    const other = values.find((value) => value !== gate);
    if (gate?.kind !== "sigmoid" || !other) throw new Unsupported("it multiplies two maps");
    const { layer, centred } = gate;
    if (layer.activation !== "none" || layer.residuals.length)
      throw new Unsupported("a sigmoid is of a result that is needed otherwise too");
    if (!centred && other.kind === "maps" && single(other) === layer) layer.activation = "silu";
    else if (centred && other.kind === "sum" && other.maps.includes(layer)) {
      const map = other.maps[0] === layer ? other.maps[1] : other.maps[0];
      layer.residuals.push({ factor: 1, map: this.mapOf({ kind: "maps", maps: [map] }, layer) });
      layer.activation = "gate";
    } else throw new Unsupported("a sigmoid is multiplied with another map than its own");
    return { kind: "maps", maps: [layer] };
  }

  /** The sigmoid less a half. */
  private difference(inputs: string[]): Value {
    const value = this.value(inputs[0]!);
    const half = this.constants.has(inputs[1]!) ? this.constants.get(inputs[1]!).values : undefined;
    if (value.kind !== "sigmoid" || value.centred || half?.length !== 1 || half[0] !== 0.5)
      throw new Unsupported("it subtracts something else than a half from a sigmoid");
    return { ...value, centred: true };
  }

  /** A convolution whose result two read: its sigmoid, and what that is multiplied with. */
  private plain(name: string): Convolution {
    const value = this.value(name);
    const layer = value.kind === "maps" ? value.maps[0] : undefined;
    const fits =
      value.kind === "maps" &&
      value.maps.length === 1 &&
      layer?.kind === "convolution" &&
      this.uses.get(name) === 2 &&
      name !== this.model.manifest.info.featuresNode;
    if (!fits)
      throw new Unsupported("a sigmoid is of what is no convolution's result, or is needed otherwise too");
    return layer;
  }

  private resized(node: GraphNode, inputs: string[]): Value {
    const map = single(this.value(inputs[0]!));
    const flag = (name: string) => (node.attr?.[name] as { b?: boolean } | undefined)?.b ?? false;
    if (flag("align_corners") || flag("half_pixel_centers") || this.factorOf(inputs[1]!, inputs[0]!) !== 2)
      throw new Unsupported(`"${node.name}" does not enlarge by two`);
    return { kind: "enlarged", map };
  }

  /** By how much a size, computed from the shape of a map, is larger than that; undefined: of another form. */
  private factorOf(size: string, map: string): number | undefined {
    const product = this.nodes.get(size);
    if (product?.op !== "Mul") return undefined;
    const [part, factor] = product.input!;
    const slice = this.nodes.get(part!);
    const shape = this.nodes.get(slice?.input?.[0] ?? "");
    if (slice?.op !== "StridedSlice" || shape?.op !== "Shape" || shape.input?.[0] !== map) return undefined;
    const values = this.constants.has(factor!) ? [...this.constants.get(factor!).values] : [];
    return values.length === 2 && values[0] === values[1] ? values[0] : undefined;
  }

  private shuffled(node: GraphNode, inputs: string[]): Value {
    const size = numberOf(node, "block_size");
    const value = this.value(inputs[0]!);
    if (value.kind !== "maps" || (textOf(node, "data_format") ?? "NHWC") !== "NHWC" || !size)
      throw new Unsupported(`"${node.name}" shuffles what is not stored as a map`);
    const { maps } = value;
    // copies of a map, shuffled to space, are its nearest enlargement
    if (size === 2 && maps.length === 4 && maps.every((map) => map === maps[0]))
      return { kind: "enlarged", map: maps[0]! };
    return { kind: "shuffled", map: single(value), size };
  }

  /** The convolution behind a result that nobody else reads. */
  private own(name: string): Convolution | undefined {
    const value = this.value(name);
    const node = this.nodes.get(name);
    const features = name === this.model.manifest.info.featuresNode;
    if (value.kind !== "maps" || value.maps.length !== 1 || this.uses.get(name) !== 1 || features || !node)
      return undefined;
    const [map] = value.maps;
    // a name for the convolution's result that others have read under another name
    if (node.op === "Identity" || map!.kind !== "convolution") return undefined;
    return map;
  }

  private constant(name: string): Constant {
    if (!this.constants.has(name)) throw new Unsupported(`"${name}" is no constant`);
    return this.constants.get(name);
  }

  private vector(name: string, count: number): Float32Array {
    const { values } = this.constant(name);
    if (values.length !== count) throw new Unsupported(`"${name}" has not one number a channel`);
    return values as Float32Array;
  }
}

/**
 * A filter of kernel 3 * stride and that stride as one of 3x3 over the picture that is folded by `stride`: its channels
 * are (channel, row, column).
 */
function folded(filter: Float32Array, stride: number, channels: number, outputs: number): Float32Array {
  if (stride === 1) return filter; // 1x1 too
  const result = new Float32Array(filter.length);
  const kernel = 3 * stride;
  for (let y = 0; y < kernel; y++)
    for (let x = 0; x < kernel; x++)
      for (let c = 0; c < channels; c++) {
        const tap = Math.floor(y / stride) * 3 + Math.floor(x / stride);
        const channel = (c * stride + (y % stride)) * stride + (x % stride);
        const from = ((y * kernel + x) * channels + c) * outputs;
        const to = (tap * channels * stride ** 2 + channel) * outputs;
        result.set(filter.subarray(from, from + outputs), to);
      }
  return result;
}
