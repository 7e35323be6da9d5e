/**
 * Layers as a program of the kernels: a list of operations on maps, see `esrgan_torch/engines/native/source/esrgan_native.h`.
 *
 * All operations of a phase go through the picture together, each a few rows behind those that it reads, so that of most
 * maps a few rows exist at a time. A long network of equal blocks is a phase that is repeated; what one block hands to
 * the next is a whole map, a plane, then.
 */
import { channelsOf, Unsupported, type Convolution, type Layer, type Layers, type Load } from "./layers.js";
import { padded } from "./winograd.js";

export const RING = 0;
export const PLANE = 1;
export const GIVEN = 2;
export const CONVOLVE = 0;
export const LOAD = 1;
export const STORE = 2;
export const POINTWISE = 3;
export const SOURCES = 5; // the most of an operation
/** Numbers of the given maps in every program: what it reads, and its result. */
export const PICTURE = 0;
export const RESULT = 1;
const NONE = -1;
const DEPTH = 64; // channels of a product: with more, its transforms, sums and weights leave the second-level cache
const FAR = 20; // operations after which the picture's first maps are computed again rather than kept
const LONGEST_BLOCK = 16;

export interface MapOf {
  readonly kind: number;
  /** Padded. */
  readonly channels: number;
  /** Pixels to one of the program's size, along each axis. */
  readonly scale: number;
}

export interface Operation {
  readonly kind: number;
  readonly sources: readonly number[];
  readonly channels: readonly number[];
  readonly begins: number;
  readonly target: number;
  readonly residuals: readonly { readonly factor: number; readonly map: number }[];
  readonly waits: readonly number[];
  readonly enlarge: number;
  readonly repeat: number;
  /** Where weights come from. */
  readonly layer: Convolution | undefined;
  /** What becomes of a picture that is loaded. */
  readonly normalised: Load["normalised"];
  /** For every stored output the filter's; -1: padding. */
  readonly order: readonly number[];
}

export interface Program {
  readonly maps: readonly MapOf[];
  readonly phases: readonly { readonly first: number; readonly length: number; readonly repeats: number }[];
  readonly operations: readonly Operation[];
}

/** The programs, one of which computes the trunk: they differ in what is kept. */
export function trunkPrograms({ trunk, tail }: Layers): Program[] {
  const size = tail.kind === "shuffle" ? tail.size : 1;
  // the channels of what is added lie in the order of the result's
  const fits = ({ map }: { map: Layer }) =>
    map.kind === "load" ? map.copies === size ** 2 : size === 1 || map.kind !== "convolution";
  if (!trunk.residuals.every(fits)) throw new Unsupported("its last sum has channels of another order");
  return programs(trunk, "features", shuffledOrder(trunk.outputs, size));
}

/** The tail's programs, from features to a planar picture; none where the features are shuffled only. */
export function tailPrograms({ tail }: Layers): Program[] {
  return tail.kind === "shuffle" ? [] : programs(tail, "picture", shuffledOrder(tail.outputs, 1));
}

/** Output pixels of the tail to one of the features. */
export function tailScale({ tail }: Layers): number {
  return tail.kind === "shuffle" ? tail.size : scaleOf(tail) * tail.enlarge;
}

/**
 * For every stored channel the graph's: TF.js shuffles (row, column, channel) to space, the kernels (channel, row,
 * column).
 */
function shuffledOrder(count: number, size: number): number[] {
  const parts = size ** 2;
  const order = Array.from(
    { length: count },
    (_, n) => (n % parts) * (count / parts) + Math.floor(n / parts),
  );
  return [...order, ...Array<number>(padded(count) - count).fill(NONE)];
}

/** A layer that is computed, and what it reads: other items by their number, `NONE` for what is given. */
interface Item {
  readonly layer: Layer | "store";
  readonly sources: readonly number[];
  readonly residuals: readonly number[];
}

function programs(last: Convolution, result: "features" | "picture", order: number[]): Program[] {
  const items = itemsOf(last);
  if (result === "picture") items.push({ layer: "store", sources: [items.length - 1], residuals: [] });
  const schedule = new Schedule(items, result, order);
  const whole = [{ first: 0, length: items.length, repeats: 1 }];
  const repeated = repetition(items);
  const made = [schedule.program(whole)];
  if (repeated) {
    const { first, length, repeats } = repeated;
    const end = first + length * repeats;
    const phases = [
      { first: 0, length: first, repeats: 1 },
      repeated,
      { first: end, length: items.length - end, repeats: 1 },
    ];
    made.push(schedule.program(phases.filter((phase) => phase.length > 0)));
  }
  return made;
}

/** All that `last` needs, each after what it reads, the cheap right before it is read. */
function itemsOf(last: Convolution): Item[] {
  const items: Item[] = [];
  const places = new Map<string | Layer, number>();
  const cheap = (layer: Layer) =>
    layer.kind === "load" ||
    (layer.kind === "convolution" &&
      layer.residuals.length === 0 &&
      layer.sources.every(({ kind }) => kind === "load"));
  const keyOf = (layer: Layer) =>
    layer.kind === "load"
      ? `load ${layer.channels} ${layer.fold} ${layer.copies} ${layer.normalised ? "normalised" : ""}`
      : layer;
  const place = (layer: Layer): number => {
    if (layer.kind === "given") return NONE;
    const known = places.get(keyOf(layer));
    if (known !== undefined && (!cheap(layer) || items.length - known <= FAR)) return known;
    const sources = layer.kind === "convolution" ? layer.sources : [];
    const residuals = layer.kind === "convolution" ? layer.residuals.map(({ map }) => map) : [];
    const read = [...sources, ...residuals];
    read.filter((one) => !cheap(one)).forEach(place);
    const found = new Map(read.map((one) => [one, place(one)]));
    items.push({
      layer,
      sources: sources.map((one) => found.get(one)!),
      residuals: residuals.map((one) => found.get(one)!),
    });
    places.set(keyOf(layer), items.length - 1);
    return items.length - 1;
  };
  place(last);
  return items;
}

function readBy(item: Item): number[] {
  return [...item.sources, ...item.residuals].filter((number) => number !== NONE);
}

/** For each item all that it depends on. */
function ancestorsOf(items: readonly Item[]): Set<number>[] {
  const found: Set<number>[] = [];
  for (const item of items) {
    const own = new Set<number>();
    for (const number of readBy(item)) {
      own.add(number);
      found[number]!.forEach((further) => own.add(further));
    }
    found.push(own);
  }
  return found;
}

/** Of what an item reads, that which must be waited for: the others have ended when it has. */
function waitsOf(items: readonly Item[], ancestors: readonly Set<number>[]): number[][] {
  return items.map((item) => {
    const read = [...new Set(readBy(item))];
    return read.filter((number) => !read.some((other) => ancestors[other]!.has(number)));
  });
}

/** The longest run of equal blocks of more than one item. */
function repetition(items: readonly Item[]): { first: number; length: number; repeats: number } | undefined {
  const waits = waitsOf(items, ancestorsOf(items));
  const form = items.map(({ layer, sources }) =>
    layer === "store" || layer.kind !== "convolution"
      ? JSON.stringify(layer)
      : JSON.stringify([layer.outputs, layer.enlarge, layer.side, layer.activation, sources.length]) +
        JSON.stringify(layer.sources.map(channelsOf)),
  );
  const steps = waits.map((found, index) => found.map((number) => index - number).join());
  let best: { first: number; length: number; repeats: number } | undefined;
  for (let length = 2; length <= LONGEST_BLOCK; length++) {
    for (let first = 0; first + 2 * length <= items.length; first++) {
      let end = first + length;
      // the first block may wait for what is before the phase, which has ended
      while (
        end < items.length &&
        form[end] === form[end - length] &&
        (steps[end] === steps[end - length] || end < first + 2 * length) &&
        waits[end]!.every((number) => end - number <= length)
      )
        end++;
      const repeats = Math.floor((end - first) / length);
      const better = !best || repeats * length > best.repeats * best.length;
      if (repeats > 1 && better && isSound(waits, first, length)) best = { first, length, repeats };
    }
  }
  return best;
}

/** Whether the first block waits within itself as the second does. */
function isSound(waits: readonly number[][], first: number, length: number): boolean {
  return Array.from({ length }, (_, n) => first + n).every((index) => {
    const within = (number: number, start: number) => number >= start;
    const one = waits[index]!.filter((number) => within(number, first)).map((number) => index - number);
    const two = waits[index + length]!.filter((number) => within(number, first + length)).map(
      (number) => index + length - number,
    );
    return one.join() === two.join();
  });
}

interface Phase {
  readonly first: number;
  readonly length: number;
  readonly repeats: number;
}

class Schedule {
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
      return {
        ...common,
        kind: LOAD,
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

/** Output pixels to one of what is given, before the last enlargement. */
function scaleOf(layer: Convolution): number {
  const source = layer.sources[0]!;
  return source.kind === "convolution" ? scaleOf(source) * source.enlarge : 1;
}
