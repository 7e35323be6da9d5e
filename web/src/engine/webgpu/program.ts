/** The layers of a trunk or a tail as steps for a GPU: which shader, which buffers, which weights. */
import { itemsOf, NONE, type Item } from "../kernels/items.js";
import { Unsupported, type Convolution, type Layer, type Load } from "../kernels/layers.js";
import { groupsOf, planSlots, type Needs, type Place, type Slots } from "./slots.js";
import type {
  Binding,
  ConvolutionSpec,
  Element,
  LoadSpec,
  Precision,
  Residual,
  Source,
  Spec,
} from "./spec.js";

/** A slot of the pool, or one of the buffers that have a name. */
export type Reference = number | "picture" | "features" | "result";

/** A buffer as a step sees it. */
export interface ViewPlan {
  readonly reference: Reference;
  /** Where the map begins, in groups. */
  readonly group: number;
  /** Its rows and columns for one of the input's grid. */
  readonly resolution: number;
}

export interface Step {
  readonly spec: Spec;
  readonly layer: Convolution | Load;
  /** Rows and columns of threads for one of the input's grid. */
  readonly grid: number;
  readonly buffers: readonly Reference[];
  readonly views: readonly ViewPlan[];
}

export interface Program {
  readonly steps: readonly Step[];
  /** Bytes of each slot for each pixel of the input's grid. */
  readonly slots: readonly number[];
}

/** Where the last convolution writes: a map that the tail reads, or pixels, each made of size x size. */
export type Result = { readonly kind: "map" } | { readonly kind: "pixels"; readonly size: number };

const MOST_BUFFERS = 7; // of eight that every device allows a shader, one is for weights

/** Bytes of four channels. */
export function bytesOf(element: Element, precision: Precision): number {
  return element === "half" && precision === "float16" ? 8 : 16;
}

/**
 * @param channels of the picture
 * @throws Unsupported
 */
export function programOf(
  last: Convolution,
  result: Result,
  channels: number,
  precision: Precision,
): Program {
  return new Writer(itemsOf(last), result, channels, precision).program();
}

class Writer {
  private readonly resolutions: number[] = [];
  private readonly needs: Needs;
  private readonly slots: Slots;
  /** Whether what sums read is another copy than what convolutions read. */
  private readonly apart: boolean;

  constructor(
    private readonly items: readonly Item[],
    private readonly result: Result,
    private readonly channels: number,
    precision: Precision,
  ) {
    this.apart = precision !== "float32";
    items.forEach(({ layer, sources }) => {
      const before = sources[0] === undefined || sources[0] === NONE ? 1 : this.resolutions[sources[0]]!;
      const enlarge = layer !== "store" && layer.kind === "convolution" ? layer.enlarge : 1;
      this.resolutions.push(before * enlarge);
    });
    const isMap = (item: number) => item !== NONE && !this.isPicture(item);
    this.needs = {
      sources: new Set(items.flatMap(({ sources }) => sources.filter((item) => item !== NONE))),
      sums: new Set(items.flatMap(({ residuals }) => residuals.filter(isMap))),
    };
    const areas = this.resolutions.map((resolution) => resolution ** 2);
    this.slots = planSlots(items, areas, (element) => bytesOf(element, precision), this.apart, this.needs);
  }

  program(): Program {
    const steps = this.items.flatMap(({ layer }, number) => {
      if (layer === "store" || layer.kind === "given") throw new Unsupported("a layer has no convolution");
      if (layer.kind === "load") return this.needs.sources.has(number) ? [this.load(layer, number)] : [];
      return [this.convolution(layer, number)];
    });
    return { steps, slots: this.slots.bytes };
  }

  /** Whether sums read the picture itself in place of an item. */
  private isPicture(item: number): boolean {
    const layer = this.items[item]!.layer;
    return layer !== "store" && layer.kind === "load";
  }

  private load(layer: Load, number: number): Step {
    if (layer.copies > 1) throw new Unsupported("a convolution reads copies of the picture");
    const used = new Buffers(this.apart);
    used.add("picture", "pixels", false);
    const target = this.slots.sources.get(number)!;
    used.add(target.slot, "half", true);
    const spec: LoadSpec = {
      kind: "load",
      buffers: used.bindings,
      channels: layer.channels / layer.fold ** 2,
      fold: layer.fold,
      normalised: layer.normalised !== undefined,
    };
    const views = [
      { reference: "picture" as const, group: 0, resolution: layer.fold },
      this.view(target, number),
    ];
    return { spec, layer, grid: 1, buffers: used.references, views };
  }

  private convolution(layer: Convolution, number: number): Step {
    const { sources: read, residuals: added } = this.items[number]!;
    const used = new Buffers(this.apart);
    const views: ViewPlan[] = [];
    const sources: Source[] = [];
    for (const range of this.ranges(layer.sources, read)) {
      sources.push({ buffer: used.add(range.view.reference, "half", false), groups: range.groups });
      views.push(range.view);
    }
    const residuals = layer.residuals.map(({ factor, map }, index): Residual => {
      const item = added[index]!;
      if (item === NONE) throw new Unsupported("its tail adds the features");
      if (map.kind === "load") {
        if (map.fold > 1 || map.normalised) throw new Unsupported("a sum reads a folded picture");
        views.push({ reference: "picture", group: 0, resolution: 1 });
        return { buffer: used.add("picture", "pixels", false), factor, channels: this.channels };
      }
      const place = this.slots.sums.get(item)!;
      views.push(this.view(place, item));
      return { buffer: used.add(place.slot, "full", false), factor, channels: undefined };
    });
    const targets: number[] = [];
    const store = (reference: Reference, view: ViewPlan, element: Element) => {
      targets.push(used.add(reference, element, true));
      views.push(view);
    };
    const [asSource, asSum] = [this.slots.sources.get(number), this.slots.sums.get(number)];
    if (asSource) store(asSource.slot, this.view(asSource, number), "half");
    if (asSum && (this.apart || !asSource)) store(asSum.slot, this.view(asSum, number), "full");
    const isLast = number === this.items.length - 1;
    const resolution = this.resolutions[number]!;
    if (isLast && this.result.kind === "map")
      store("features", { reference: "features", group: 0, resolution }, "half");
    let pixels: ConvolutionSpec["pixels"];
    if (isLast && this.result.kind === "pixels") {
      const { size } = this.result;
      if (layer.outputs % size ** 2) throw new Unsupported("its result has no whole pixels");
      pixels = { buffer: used.add("result", "pixels", true), channels: layer.outputs / size ** 2, size };
      views.push({ reference: "result", group: 0, resolution: resolution * size });
    }
    if (used.bindings.length > MOST_BUFFERS) throw new Unsupported("a convolution needs too many buffers");
    const spec: ConvolutionSpec = {
      kind: "convolution",
      buffers: used.bindings,
      sources,
      residuals,
      targets,
      pixels,
      outputs: groupsOf(layer),
      taps: layer.enlarge === 2 ? 2 : layer.side,
      enlarge: layer.enlarge,
      activation: layer.activation,
    };
    return { spec, layer, grid: resolution / layer.enlarge, buffers: used.references, views };
  }

  private view({ slot, group }: Place, item: number): ViewPlan {
    return { reference: slot, group, resolution: this.resolutions[item]! };
  }

  /** What a convolution reads, as few stretches of groups. */
  private ranges(layers: readonly Layer[], items: readonly number[]): { view: ViewPlan; groups: number }[] {
    const found: { view: ViewPlan; groups: number }[] = [];
    layers.forEach((layer, index) => {
      const item = items[index]!;
      const groups = groupsOf(layer);
      const last = found.at(-1);
      const view: ViewPlan =
        item === NONE
          ? { reference: "features", group: 0, resolution: 1 }
          : this.view(this.slots.sources.get(item)!, item);
      const follows = last?.view.reference === view.reference && last.view.group + last.groups === view.group;
      if (last && follows) last.groups += groups;
      else found.push({ view, groups });
    });
    return found;
  }
}

/** Buffers of a step, each once, written if one of its uses writes. */
class Buffers {
  readonly references: Reference[] = [];
  readonly bindings: Binding[] = [];

  constructor(private readonly apart: boolean) {}

  /** @returns its number */
  add(reference: Reference, wanted: Element, written: boolean): number {
    const element = wanted === "half" && !this.apart ? "full" : wanted;
    const known = this.references.findIndex(
      (one, index) => one === reference && this.bindings[index]!.element === element,
    );
    const number = known < 0 ? this.references.length : known;
    this.references[number] = reference;
    this.bindings[number] = { element, written: written || (this.bindings[number]?.written ?? false) };
    return number;
  }
}
