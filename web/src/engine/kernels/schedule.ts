/** Items as operations on maps: where each result lies, and what each operation waits for. */
import { NONE, type Item, readBy, ancestorsOf, waitsOf } from "./items.js";
import { channelsOf, Unsupported, type Layer } from "./layers.js";
import {
  RING,
  PLANE,
  GIVEN,
  CONVOLVE,
  LOAD,
  STORE,
  POINTWISE,
  SOURCES,
  PICTURE,
  RESULT,
  type MapOf,
  type Operation,
  type Program,
} from "./operations.js";
import { padded } from "./winograd.js";

const DEPTH = 64; // channels of a product: with more, its transforms, sums and weights leave the second-level cache

export interface Phase {
  readonly first: number;
  readonly length: number;
  readonly repeats: number;
}

export class Schedule {
  private readonly ancestors: readonly Set<number>[];
  private readonly waits: readonly number[][];
  private readonly readers: readonly number[][];
  private readonly scales: number[] = [];

  constructor(
    private readonly items: readonly Item[],
    private readonly result: "features" | "picture",
    private readonly order: readonly number[],
  ) {
    this.ancestors = ancestorsOf(items);
    this.waits = waitsOf(items, this.ancestors);
    this.readers = items.map((_, number) =>
      items.flatMap((item, reader) => (readBy(item).includes(number) ? [reader] : [])),
    );
    for (const { layer, sources } of items) {
      const given = sources.map((number) => (number === NONE ? 1 : this.scales[number]!));
      if (new Set(given).size > 1) throw new Unsupported("it joins maps of different sizes");
      const enlarge = layer !== "store" && layer.kind === "convolution" ? layer.enlarge : 1;
      this.scales.push((given[0] ?? 1) * enlarge);
    }
  }

  program(phases: readonly Phase[]): Program {
    const { items } = this;
    const start = this.startChannels();
    const maps: MapOf[] = [
      { kind: GIVEN, channels: start, scale: 1 },
      { kind: GIVEN, channels: this.channels(items.length - 1), scale: this.scales.at(-1)! },
    ];
    const places = this.places(phases, maps);
    const operations = phases.flatMap((phase) =>
      Array.from({ length: phase.length * phase.repeats }, (_, n) =>
        this.operation(phase, phase.first + n, places),
      ),
    );
    return { maps, phases, operations };
  }

  /** Channels of what the program reads. */
  private startChannels(): number {
    for (const { layer } of this.items) {
      if (layer === "store") continue;
      if (layer.kind === "load") return layer.channels / Math.max(layer.fold ** 2, layer.copies);
      const source =
        layer.kind === "convolution" ? layer.sources.find(({ kind }) => kind === "given") : layer;
      if (source) return padded(channelsOf(source));
    }
    throw new Unsupported("it reads nothing");
  }

  private channels(number: number): number {
    const { layer, sources } = this.items[number]!;
    // the picture that is stored has as many channels as are real
    return layer === "store" ? this.channelsStored(sources[0]!) : padded(channelsOf(layer));
  }

  private channelsStored(number: number): number {
    return channelsOf(this.items[number]!.layer as Layer);
  }

  /** A map for every item's result; planes are used again. */
  private places(phases: readonly Phase[], maps: MapOf[]): number[] {
    const { items } = this;
    const position = (number: number) => {
      const phase = phases.findIndex(({ first, length, repeats }) => number < first + length * repeats);
      const { first, length } = phases[phase]!;
      const within = (number - first) % length;
      return { phase, within, block: Math.floor((number - first) / length) };
    };
    const isPlane = (number: number) => {
      const own = position(number);
      return this.readers[number]!.some((reader) => {
        const other = position(reader);
        return other.phase !== own.phase || other.block !== own.block;
      });
    };
    // one kind for all blocks of a phase
    const planes = new Set<string>();
    const key = (number: number) => `${position(number).phase} ${position(number).within}`;
    items.forEach((_, number) => {
      if (isPlane(number)) planes.add(key(number));
    });
    const last = items.length - 1;
    if (this.result === "features") planes.add(key(last));
    const rings = new Map<string, number>();
    const free: { map: number; from: readonly number[] }[] = [];
    const places: number[] = [];
    items.forEach(({ layer }, number) => {
      if (layer === "store") {
        places.push(RESULT);
        return;
      }
      const map = { channels: padded(channelsOf(layer)), scale: this.scales[number]! };
      if (!planes.has(key(number))) {
        const known = rings.get(key(number));
        places.push(known ?? maps.length);
        if (known === undefined) {
          rings.set(key(number), maps.length);
          maps.push({ kind: RING, ...map });
        }
        return;
      }
      const index =
        this.inPlace(number, planes, key, places) ?? this.freePlane(number, free, map, maps, position);
      places.push(index ?? maps.length);
      if (index === undefined) maps.push({ kind: PLANE, ...map });
      // what is read for the last time here is free for later ones
      for (const other of new Set(readBy(items[number]!))) {
        const read = this.readers[other]!;
        const isLast = read.at(-1) === number && planes.has(key(other));
        if (isLast && places[other] !== places[number]) free.push({ map: places[other]!, from: read });
      }
    });
    if (this.result === "features") {
      // the plane that ends up with the result is the given one; its own number is nobody's then
      const chosen = places[last]!;
      maps[chosen] = { ...maps[RESULT]! };
      return places.map((place) => (place === chosen ? RESULT : place));
    }
    return places;
  }

  /** A pixel of a sum may take the place of the one that is added, where nobody else reads that any more. */
  private inPlace(
    number: number,
    planes: ReadonlySet<string>,
    key: (number: number) => string,
    places: readonly number[],
  ): number | undefined {
    const { layer, residuals, sources } = this.items[number]!;
    // they look at the other map again after they have written
    if (layer !== "store" && layer.kind === "convolution" && ["silu", "gate"].includes(layer.activation))
      return undefined;
    const found = residuals.find((other) => {
      if (other === NONE || sources.includes(other) || !planes.has(key(other))) return false;
      const same = channelsOf(this.items[other]!.layer as Layer) === channelsOf(layer as Layer);
      const read = this.readers[other]!;
      const others = read.filter((reader) => reader !== number);
      return same && read.at(-1) === number && others.every((reader) => this.ends(reader, number));
    });
    return found === undefined ? undefined : places[found];
  }

  private freePlane(
    number: number,
    free: { map: number; from: readonly number[] }[],
    wanted: { channels: number; scale: number },
    maps: readonly MapOf[],
    position: (number: number) => { phase: number },
  ): number | undefined {
    const fitting = free.findIndex(
      ({ map, from }) =>
        maps[map]!.channels === wanted.channels &&
        maps[map]!.scale === wanted.scale &&
        from.every((reader) => this.ends(reader, number) || position(reader).phase < position(number).phase),
    );
    return fitting < 0 ? undefined : free.splice(fitting, 1)[0]!.map;
  }

  /** Whether an item has computed what another one's pixels depend on, when that computes them. */
  private ends(earlier: number, later: number): boolean {
    return this.ancestors[later]!.has(earlier);
  }

  private operation(phase: Phase, number: number, places: readonly number[]): Operation {
    const { layer, sources, residuals } = this.items[number]!;
    const target = places[number]!;
    const place = (item: number) => (item === NONE ? PICTURE : places[item]!);
    const waits = this.waitsWithin(phase, number);
    if (waits.length > 2) throw new Unsupported("a convolution waits for more than two others");
    const nothing = { layer: undefined, normalised: undefined, order: [] };
    const common = { begins: 1, target, residuals: [], waits, enlarge: 1, repeat: 1, ...nothing };
    if (layer === "store") {
      const channels = [this.channelsStored(sources[0]!)];
      return { ...common, kind: STORE, sources: [place(sources[0]!)], channels };
    }
    if (layer.kind !== "convolution") {
      if (layer.kind === "given" || this.result === "picture")
        throw new Unsupported("its tail reads the picture");
      const { channels, fold, copies, normalised } = layer;
      // what is loaded again is not to wait for hundreds of rows
      const within = number - phase.first;
      return {
        ...common,
        kind: LOAD,
        waits: phase.repeats === 1 && within > 0 ? [within - 1] : [],
        sources: [PICTURE],
        channels: [channels],
        enlarge: fold,
        repeat: copies,
        normalised,
      };
    }
    if (sources.length > SOURCES) throw new Unsupported(`a convolution reads ${sources.length} maps`);
    const exact = layer.sources.map(channelsOf);
    const channels = exact.length === 1 ? exact : exact.map(padded);
    const isLast = number === this.items.length - 1 || this.items[number + 1]!.layer === "store";
    const plain = [
      ...Array(layer.outputs).keys(),
      ...Array<number>(padded(layer.outputs) - layer.outputs).fill(NONE),
    ];
    const begins = layer.side === 1 ? [...channels.keys()] : productBegins(channels);
    return {
      ...common,
      kind: layer.side === 1 ? POINTWISE : CONVOLVE,
      sources: sources.map(place),
      channels,
      begins: begins.reduce((bits, begin) => bits | (1 << begin), 0),
      residuals: residuals.map((item, index) => ({
        factor: layer.residuals[index]!.factor,
        map: place(item),
      })),
      enlarge: layer.enlarge,
      layer,
      order: isLast ? this.order : plain,
    };
  }

  /** Numbers within the phase; of blocks, those of the second, for the first waits for none before it. */
  private waitsWithin({ first, length, repeats }: Phase, number: number): number[] {
    const within = (number - first) % length;
    const index = repeats > 1 ? first + length + within : number;
    return this.waits[index]!.filter((item) => item >= first).map((item) => (item - first) % length);
  }
}

/** Numbers of the sources with which a product begins: none has more than `DEPTH` channels, if it can. */
export function productBegins(channels: readonly number[]): number[] {
  const begins = [0];
  let together = 0;
  channels.forEach((count, number) => {
    if (together && together + count > DEPTH) {
      begins.push(number);
      together = 0;
    }
    together += count;
  });
  return begins;
}
