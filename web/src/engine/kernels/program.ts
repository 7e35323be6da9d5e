/**
 * Layers as a program of the kernels: a list of operations on maps, see `esrgan_torch/engines/native/source/esrgan_native.h`.
 *
 * All operations of a phase go through the picture together, each a few rows behind those that it reads, so that of most
 * maps a few rows exist at a time. A long network of equal blocks is a phase that is repeated; what one block hands to
 * the next is a whole map, a plane, then.
 */
import { NONE, itemsOf, repetition } from "./items.js";
import { Unsupported, type Convolution, type Layer, type Layers } from "./layers.js";
import { LOAD, PLANE, STORE, type Program } from "./operations.js";
import { Schedule } from "./schedule.js";
import { padded } from "./winograd.js";

/** The programs, one of which computes the trunk: they differ in what is kept. */
export function trunkPrograms({ trunk, tail }: Layers): Program[] {
  const size = tail.kind === "shuffle" ? tail.size : 1;
  // the channels of what is added lie in the order of the result's
  const fits = ({ map }: { map: Layer }) =>
    map.kind === "load" ? map.copies === size ** 2 : size === 1 || map.kind !== "convolution";
  if (!trunk.residuals.every(fits)) throw new Unsupported("its last sum has channels of another order");
  return programs(trunk, "features", shuffledOrder(trunk.outputs, size));
}

/** Whether a picture can go through by rows: one phase, of whose maps a few rows exist, all of the picture's size. */
export function goesByRows({ maps, phases, operations }: Program): boolean {
  const fits =
    maps.every(({ kind, scale }) => kind !== PLANE && scale === 1) &&
    operations.every(({ kind, enlarge }) => kind !== STORE && (kind === LOAD || enlarge === 1));
  return fits && phases.length === 1 && phases[0]!.repeats === 1;
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

/** Output pixels to one of what is given, before the last enlargement. */
function scaleOf(layer: Convolution): number {
  const source = layer.sources[0]!;
  return source.kind === "convolution" ? scaleOf(source) * source.enlarge : 1;
}
