/** `model.json` as `esrgan convert` writes it: checked once, then typed. */
import { messageOf, ModelError } from "../errors.js";

const FORMAT_VERSION = 1;

/** What model.json says about the model; the fields of `esrgan_bridge.artifact.Metadata`. */
export interface ModelInfo {
  readonly name: string;
  readonly architecture: string;
  /** Sizes of the network, such as `features` and `blocks`. */
  readonly sizes: Readonly<Record<string, number>>;
  /** How many times as wide and high the output is. */
  readonly scale: number;
  /** The network's input must have a height and width that are multiples of this; the library pads the picture. */
  readonly unshuffle: number;
  readonly inChannels: number;
  readonly outChannels: number;
  /** The overlap, in pixels of features, that makes a tile of the tail (the network's second part) exact. */
  readonly tailHalo: number;
  /** How far from a pixel the network looks, in input pixels. */
  readonly receptiveField: number;
  /** Recommended overlap of a tile of the whole network, in input pixels; it was measured. */
  readonly overlap: number;
  /** Recommended side of a tile of the tail, in input pixels. */
  readonly tile: number;
  readonly licence: string | null;
  /** Type in which the weights are stored, as given to `esrgan convert --quantize`. */
  readonly quantize: string;
  /** The graph's node between trunk and tail, the network's first and second part. */
  readonly featuresNode: string;
}

/** One node of the graph, as far as this library looks at it. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, unknown>>;
}

export interface Manifest {
  readonly info: ModelInfo;
  /** Data files in the order of their bytes, with sha256 in hexadecimal. */
  readonly shards: readonly { readonly path: string; readonly sha256: string }[];
  readonly nodes: readonly GraphNode[];
  readonly input: string;
  readonly output: string;
  /** Numbers in all weights. */
  readonly parameters: number;
  /** Bytes of all data files together. */
  readonly bytes: number;
  /** model.json itself, for TF.js. */
  readonly document: Readonly<Record<string, unknown>>;
}

/**
 * @param text of model.json
 * @param where for the message of an error
 * @throws ModelError not JSON, not a graph model, or without our record
 */
export function parseManifest(text: string, where: string): Manifest {
  let document: Json;
  if (/^\s*</.test(text)) {
    throw new ModelError(
      `${where} is a web page, not a model; many servers send one for a file that they do not have, so check the address`,
    );
  }
  try {
    document = asRecord(JSON.parse(text));
  } catch (error) {
    throw new ModelError(
      `${where} is not JSON (${messageOf(error)}); give a model.json that \`esrgan convert --to tfjs\` wrote`,
    );
  }
  try {
    return read(document);
  } catch (error) {
    throw new ModelError(
      `${where} is not a model that this release can use: ${messageOf(error)}; convert it with \`esrgan convert --to tfjs\``,
    );
  }
}

type Json = Record<string, unknown>;

function read(document: Json): Manifest {
  if (document["format"] !== "graph-model") throw new Error("it is not a graph model of TensorFlow.js");
  const record = asRecord(asRecord(document["userDefinedMetadata"])["esrgan"]);
  if (record["format_version"] !== FORMAT_VERSION) {
    throw new Error(`its format version is ${String(record["format_version"])} instead of ${FORMAT_VERSION}`);
  }
  const hashes = asRecord(record["shards"]);
  const groups = asArray(document["weightsManifest"]).map(asRecord);
  const shards = groups.flatMap((group) =>
    asArray(group["paths"]).map((path) => {
      const sha256 = hashes[asText(path)];
      if (typeof sha256 !== "string") throw new Error(`it has no sha256 for ${asText(path)}`);
      if (!/^[\w.-]+$/.test(asText(path)))
        throw new Error(`${asText(path)} is not a valid name of a data file`);
      return { path: asText(path), sha256 };
    }),
  );
  const weights = groups.flatMap((group) => asArray(group["weights"]).map(asRecord));
  const signature = asRecord(document["signature"]);
  const nodes = asArray(asRecord(document["modelTopology"])["node"]).map(
    (node) => asRecord(node) as unknown as GraphNode,
  );
  const info = readInfo(record);
  if (!nodes.some((node) => node.name === info.featuresNode)) {
    throw new Error(`its graph has no node "${info.featuresNode}"`);
  }
  return {
    info,
    shards,
    nodes,
    input: onlyName(signature["inputs"]),
    output: onlyName(signature["outputs"]),
    parameters: weights.reduce((sum, entry) => sum + sizeOf(entry), 0),
    bytes: weights.reduce((sum, entry) => sum + sizeOf(entry) * bytesOf(entry), 0),
    document,
  };
}

function readInfo(record: Json): ModelInfo {
  const number = (key: string, least: number): number => {
    const value = record[key];
    if (!Number.isInteger(value) || (value as number) < least)
      throw new Error(`its "${key}" is ${String(value)} instead of a whole number from ${least} up`);
    return value as number;
  };
  const info = {
    name: asText(record["name"]),
    architecture: asText(record["architecture"]),
    sizes: asRecord(record["sizes"]) as Record<string, number>,
    scale: number("scale", 1),
    unshuffle: number("unshuffle", 1),
    inChannels: number("in_channels", 1),
    outChannels: number("out_channels", 1),
    tailHalo: number("tail_halo", 0),
    receptiveField: number("receptive_field", 0),
    overlap: number("overlap", 0),
    tile: number("tile", 1),
    licence: record["licence"] === null ? null : asText(record["licence"]),
    quantize: asText(record["quantize"]),
    featuresNode: asText(record["features_node"]),
  };
  if (record["fixed_size"] !== undefined)
    throw new Error("it was converted for one picture size, with --shape, and tiles need any size");
  if (record["layout"] !== "NHWC")
    throw new Error(`its layout is ${String(record["layout"])} instead of NHWC`);
  if (![1, 3].includes(info.inChannels) || info.inChannels !== info.outChannels) {
    throw new Error(
      `it has ${info.inChannels} input and ${info.outChannels} output channels instead of 1 and 1, or 3 and 3`,
    );
  }
  return info;
}

function asRecord(value: unknown): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error("a section of it is missing");
  return value as Json;
}

function asArray(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Error("a list in it is missing");
  return value;
}

function asText(value: unknown): string {
  if (typeof value !== "string") throw new Error("a name in it is missing");
  return value;
}

function onlyName(ports: unknown): string {
  const names = Object.keys(asRecord(ports));
  if (names.length !== 1 || names[0] === undefined)
    throw new Error("it does not have exactly one input and one output");
  return asText(asRecord(asRecord(ports)[names[0]])["name"]).replace(/:\d+$/, "");
}

function sizeOf(weight: Json): number {
  return asArray(weight["shape"]).reduce<number>(product, 1);
}

const WIDE = 4; // bytes of float32 and int32

function bytesOf({ dtype, quantization }: Json): number {
  const stored = (quantization as Json | undefined)?.["dtype"] ?? dtype;
  return { float16: 2, uint16: 2, uint8: 1, bool: 1 }[String(stored)] ?? WIDE;
}

function product(total: number, size: unknown): number {
  return total * Number(size);
}
