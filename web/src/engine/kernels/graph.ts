/** The nodes of a graph by name, who reads them, and their constants. */
import type { Model } from "../../models/download.js";
import type { GraphNode, ModelInfo } from "../../models/manifest.js";
import { Constants, type Constant } from "./constants.js";
import { Unsupported } from "./layers.js";

export class Graph {
  readonly info: ModelInfo;
  readonly input: string;
  readonly output: string;
  private readonly constants: Constants;
  private readonly nodes: ReadonlyMap<string, GraphNode>;
  private readonly uses = new Map<string, number>();

  constructor(model: Model) {
    const { info, nodes, input, output } = model.manifest;
    this.info = info;
    this.input = input;
    this.output = output;
    this.constants = new Constants(model);
    this.nodes = new Map(nodes.map((node) => [node.name, node]));
    for (const name of [...nodes.flatMap((node) => [...new Set(node.input ?? [])]), output])
      this.uses.set(name, (this.uses.get(name) ?? 0) + 1);
  }

  node(name: string): GraphNode | undefined {
    return this.nodes.get(name);
  }

  /** How many nodes read a result; the graph's output is read once more. */
  usesOf(name: string): number {
    return this.uses.get(name) ?? 0;
  }

  isConstant(name: string): boolean {
    return this.constants.has(name);
  }

  /** @throws Unsupported */
  constant(name: string): Constant {
    if (!this.constants.has(name)) throw new Unsupported(`"${name}" is no constant`);
    return this.constants.get(name);
  }

  /** A constant of one number a channel. @throws Unsupported */
  vector(name: string, count: number): Float32Array {
    const { values } = this.constant(name);
    if (values.length !== count) throw new Unsupported(`"${name}" has not one number a channel`);
    return values as Float32Array;
  }

  /** By how much a size, computed from the shape of a map, is larger than that; undefined: of another form. */
  factorOf(size: string, map: string): number | undefined {
    const product = this.nodes.get(size);
    if (product?.op !== "Mul") return undefined;
    const [part, factor] = product.input!;
    const slice = this.nodes.get(part!);
    const shape = this.nodes.get(slice?.input?.[0] ?? "");
    if (slice?.op !== "StridedSlice" || shape?.op !== "Shape" || shape.input?.[0] !== map) return undefined;
    const values = this.isConstant(factor!) ? [...this.constant(factor!).values] : [];
    return values.length === 2 && values[0] === values[1] ? values[0] : undefined;
  }
}
