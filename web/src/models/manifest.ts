/** `model.json` as `esrgan convert` writes it: checked once, then typed. */
import { ModelError } from "../errors.js";

const FORMAT_VERSION = 1;

/** What a model says of itself; the fields of `esrgan_bridge.artifact.Metadata`. */
export interface ModelInfo {
  readonly name: string;
  readonly architecture: string;
  /** Sizes of the network, such as `features` and `blocks`. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Output pixels an input pixel, along each axis. */
  readonly scale: number;
  /** Height and width must be multiples of this; the library pads. */
  readonly unshuffle: number;
  readonly inChannels: number;
  readonly outChannels: number;
  /** Feature pixels around a tile of the tail that make it exact. */
  readonly tailHalo: number;
  /** Input pixels around a pixel that its result depends on. */
  readonly receptiveField: number;
  /** Input pixels that a tile of the whole network needs around it, by measurement. */
  readonly overlap: number;
  /** Recommended side of a tile of the tail, in input pixels. */
  readonly tile: number;
  readonly licence: string | null;
  readonly quantize: string;
  /** Node between trunk and tail. */
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
      `${where} is a web page, no model: many servers answer so where they have no such file; check the address`,
    );
  }
  try {
    document = asRecord(JSON.parse(text));
  } catch (error) {
    throw new ModelError(`${where} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    return read(document);
  } catch (error) {
    throw new ModelError(
      `${where} is not a model that \`esrgan convert --to tfjs\` wrote with this release: ` +
        (error instanceof Error ? error.message : String(error)),
    );
  }
}

type Json = Record<string, unknown>;

function read(document: Json): Manifest {
  if (document["format"] !== "graph-model") throw new Error("it is no graph model of TF.js");
  const record = asRecord(asRecord(document["userDefinedMetadata"])["esrgan"]);
  if (record["format_version"] !== FORMAT_VERSION) {
    throw new Error(`its format version is ${String(record["format_version"])}, known is ${FORMAT_VERSION}`);
  }
  const hashes = asRecord(record["shards"]);
  const groups = asArray(document["weightsManifest"]).map(asRecord);
  const shards = groups.flatMap((group) =>
    asArray(group["paths"]).map((path) => {
      const sha256 = hashes[asText(path)];
      if (typeof sha256 !== "string") throw new Error(`it names no sha256 for ${asText(path)}`);
      if (!/^[\w.-]+$/.test(asText(path))) throw new Error(`${asText(path)} is no name of a data file`);
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
      throw new Error(`its "${key}" is ${String(value)}`);
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
    throw new Error("it was converted with --shape for one size of picture; tiles need one for any");
  if (record["layout"] !== "NHWC")
    throw new Error(`its layout is ${String(record["layout"])}, needed is NHWC`);
  if (![1, 3].includes(info.inChannels) || info.inChannels !== info.outChannels) {
    throw new Error(
      `it has ${info.inChannels} channels in and ${info.outChannels} out; 1 or 3 of both are needed`,
    );
  }
  return info;
}

function asRecord(value: unknown): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error("a part of it is missing");
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
  if (names.length !== 1 || names[0] === undefined) throw new Error("it has not one input and one output");
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
