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
import { alphaOf, numberOf, textOf } from "./attributes.js";
import { convolutionOf } from "./convolutions.js";
import { Graph } from "./graph.js";
import { Unsupported, type Convolution, type Given, type Layer, type Layers } from "./layers.js";
import { single, type Value } from "./values.js";

/** @throws Unsupported */
export function layersOf(model: Model): Layers {
  const { manifest } = model;
  const reader = new Reader(new Graph(model));
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

class Reader {
  private values = new Map<string, Value>();
  /** Convolutions in the order in which they were found: after all that they read. */
  private readonly order = new Map<Layer, number>();

  constructor(private readonly graph: Graph) {}

  tail(given: Given): Value {
    this.values = new Map([[this.graph.info.featuresNode, { kind: "maps", maps: [given] }]]);
    this.order.set(given, -1);
    return this.value(this.graph.output);
  }

  value(name: string): Value {
    const known = this.values.get(name);
    if (known) return known;
    const value = this.read(name);
    this.values.set(name, value);
    return value;
  }

  private read(name: string): Value {
    if (name === this.graph.input) return { kind: "picture", copies: 1 };
    const node = this.graph.node(name);
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
        return this.activated(node, inputs, (count) => this.graph.vector(inputs[1]!, count));
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
    const value = convolutionOf(this.graph, node, inputs, this.value(inputs[0]!));
    if (value.kind === "maps") this.order.set(single(value), this.order.size);
    return value;
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
    const once = this.graph.usesOf(inputs[first]!) === 1;
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
      const channels = this.graph.info.inChannels * value.copies;
      return { kind: "load", channels, fold: 1, copies: value.copies };
    }
    const map = single(value);
    if ((this.order.get(map) ?? -1) >= this.order.get(reader)!)
      throw new Unsupported("a sum is of two maps of which neither can be computed first");
    return map;
  }

  private product(inputs: string[]): Value {
    const number = inputs.findIndex((name) => this.graph.isConstant(name));
    if (number < 0) return this.gated(inputs);
    const { values } = this.graph.constant(inputs[number]!);
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
    const half = this.graph.isConstant(inputs[1]!) ? this.graph.constant(inputs[1]!).values : undefined;
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
      this.graph.usesOf(name) === 2 &&
      name !== this.graph.info.featuresNode;
    if (!fits)
      throw new Unsupported("a sigmoid is of what is no convolution's result, or is needed otherwise too");
    return layer;
  }

  private resized(node: GraphNode, inputs: string[]): Value {
    const map = single(this.value(inputs[0]!));
    const flag = (name: string) => (node.attr?.[name] as { b?: boolean } | undefined)?.b ?? false;
    if (
      flag("align_corners") ||
      flag("half_pixel_centers") ||
      this.graph.factorOf(inputs[1]!, inputs[0]!) !== 2
    )
      throw new Unsupported(`"${node.name}" does not enlarge by two`);
    return { kind: "enlarged", map };
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
    const node = this.graph.node(name);
    const features = name === this.graph.info.featuresNode;
    if (
      value.kind !== "maps" ||
      value.maps.length !== 1 ||
      this.graph.usesOf(name) !== 1 ||
      features ||
      !node
    )
      return undefined;
    const [map] = value.maps;
    // a name for the convolution's result that others have read under another name
    if (node.op === "Identity" || map!.kind !== "convolution") return undefined;
    return map;
  }
}
