/** Convolutions of a graph: of the picture, of maps, and of a picture that is folded by a stride. */
import type { GraphNode, ModelInfo } from "../../models/manifest.js";
import { alphaOf, numbersOf, textOf, textsOf } from "./attributes.js";
import type { Graph } from "./graph.js";
import { channelsOf, Unsupported, type Convolution, type Layer } from "./layers.js";
import type { PictureValue, Value } from "./values.js";

/**
 * What a node that convolves stands for: a map, or still the picture where it only shifts and stretches that.
 *
 * @throws Unsupported
 */
export function convolutionOf(graph: Graph, node: GraphNode, inputs: string[], source: Value): Value {
  const { shape, values } = graph.constant(inputs[1]!);
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
  if (source.kind === "picture" && side === 1)
    return normalised(graph, node, source, values as Float32Array, inputs);
  const { sources, enlarge } = sourcesOf(graph.info, source, stride);
  const given = sources.reduce((sum, layer) => sum + channelsOf(layer), 0);
  if (given !== channels * stride ** 2) throw new Unsupported(`"${node.name}" reads ${given} channels`);
  const fused = textsOf(node, "fused_ops");
  const bias = fused.includes("BiasAdd") ? graph.vector(inputs[2]!, outputs) : new Float32Array(outputs);
  let slopes: Float32Array | undefined;
  for (const name of fused) {
    if (name === "LeakyRelu") slopes = new Float32Array(outputs).fill(alphaOf(node, "leakyrelu_alpha"));
    else if (name === "Prelu") slopes = graph.vector(inputs[3]!, outputs);
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
  return { kind: "maps", maps: [layer] };
}

/** A 1x1 convolution that only shifts and stretches the picture's channels. */
function normalised(
  graph: Graph,
  node: GraphNode,
  source: PictureValue,
  filter: Float32Array,
  inputs: string[],
): Value {
  const count = graph.info.inChannels;
  const factor = Float32Array.from({ length: count }, (_, c) => filter[c * count + c]!);
  const diagonal = filter.every((value, index) => (index % (count + 1) === 0 ? value !== 0 : value === 0));
  const plain = textsOf(node, "fused_ops").every((name) => name === "BiasAdd");
  if (source.copies > 1 || source.normalised || filter.length !== count ** 2 || !diagonal || !plain)
    throw new Unsupported(`"${node.name}" mixes the picture's channels`);
  const bias = inputs[2] === undefined ? new Float32Array(count) : graph.vector(inputs[2], count);
  return {
    kind: "picture",
    copies: 1,
    normalised: { offset: bias.map((value, c) => value / factor[c]!), factor },
  };
}

function sourcesOf(
  info: ModelInfo,
  source: Value,
  stride: number,
): { sources: readonly Layer[]; enlarge: 1 | 2 } {
  if (source.kind === "picture" && source.copies === 1) {
    const channels = info.inChannels * stride ** 2;
    const { normalised } = source;
    return { sources: [{ kind: "load", channels, fold: stride, copies: 1, normalised }], enlarge: 1 };
  }
  if (stride !== 1) throw new Unsupported("a convolution within the network has a stride");
  if (source.kind === "maps") return { sources: source.maps, enlarge: 1 };
  if (source.kind === "enlarged") return { sources: [source.map], enlarge: 2 };
  throw new Unsupported("a convolution reads what is not stored as a map");
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
