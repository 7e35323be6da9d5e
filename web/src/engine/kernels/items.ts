/** The layers of a network in the order in which they are computed, and which of them must be waited for. */
import { channelsOf, type Convolution, type Layer } from "./layers.js";

export const NONE = -1;
const FAR = 20; // operations after which the picture's first maps are computed again rather than kept
const LONGEST_BLOCK = 16;

/** A layer that is computed, and what it reads: other items by their number, `NONE` for what is given. */
export interface Item {
  readonly layer: Layer | "store";
  readonly sources: readonly number[];
  readonly residuals: readonly number[];
}

/** All that `last` needs, each after what it reads, the cheap right before it is read. */
export function itemsOf(last: Convolution): Item[] {
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

export function readBy(item: Item): number[] {
  return [...item.sources, ...item.residuals].filter((number) => number !== NONE);
}

/** For each item all that it depends on. */
export function ancestorsOf(items: readonly Item[]): Set<number>[] {
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
export function waitsOf(items: readonly Item[], ancestors: readonly Set<number>[]): number[][] {
  return items.map((item) => {
    const read = [...new Set(readBy(item))];
    return read.filter((number) => !read.some((other) => ancestors[other]!.has(number)));
  });
}

/** The longest run of equal blocks of more than one item. */
export function repetition(
  items: readonly Item[],
): { first: number; length: number; repeats: number } | undefined {
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
