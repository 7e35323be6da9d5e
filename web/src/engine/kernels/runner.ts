/** A program in the module's memory, and how it runs. */
import type { Pause } from "../network.js";
import type { Exports, Heap } from "./module.js";
import type { Activation, Layer } from "./layers.js";
import {
  CONVOLVE,
  LOAD,
  PICTURE,
  POINTWISE,
  RESULT,
  SOURCES,
  type Operation,
  type Program,
} from "./operations.js";
import { layOut, transform, transformedSize } from "./winograd.js";

const SLICE = 24; // ms of computing between two looks at the rest of the world
const BAND = 32; // rows that are given and taken at once, as of `esrgan_torch/engines/native/rows.py`
const MAP_WORDS = 3;
const PHASE_WORDS = 3;
const OPERATION_WORDS = 27;
const PROGRAM_WORDS = 6;
const WORD = 4;
const NONE = -1;
const ACTIVATIONS: Record<Activation, number> = { none: 0, prelu: 1, silu: 2, gate: 3 };

/** Where the weights of layers lie, once they are transformed. */
export type Known = Map<Layer, Weights>;

/** What a picture by rows takes: bytes of work memory, and rows of the picture's ring and the result's. */
export interface RowNeeds {
  readonly bytes: number;
  readonly picture: number;
  readonly result: number;
}

/** Rows: below `done` the result is there, and of the picture those from `kept` on are still needed. */
export interface Reached {
  readonly done: number;
  readonly kept: number;
}

export class Runner {
  private readonly engine: number;
  private readonly given: number;
  private readonly rows: number;

  /**
   * @param known weights are transformed once, into memory that stays; undefined: none, to plan only
   */
  constructor(
    private readonly exports: Exports,
    private readonly heap: Heap,
    readonly program: Program,
    threads: number,
    known: Known | undefined,
  ) {
    const weights = known ? program.operations.map((operation) => this.weighed(operation, known)) : [];
    const { maps, phases, operations } = program;
    const place = heap.take(PROGRAM_WORDS * WORD);
    const mapPlace = heap.take(MAP_WORDS * WORD * maps.length);
    const phasePlace = heap.take(PHASE_WORDS * WORD * phases.length);
    const operationPlace = heap.take(OPERATION_WORDS * WORD * operations.length);
    this.given = heap.take(WORD * maps.length);
    this.rows = heap.take(WORD * maps.length);
    heap
      .integers(place, PROGRAM_WORDS)
      .set([maps.length, phases.length, operations.length, mapPlace, phasePlace, operationPlace]);
    heap
      .integers(mapPlace, MAP_WORDS * maps.length)
      .set(maps.flatMap(({ kind, channels, scale }) => [kind, channels, scale]));
    heap
      .integers(phasePlace, PHASE_WORDS * phases.length)
      .set(phases.flatMap(({ first, length, repeats }) => [first, length, repeats]));
    operations.forEach((operation, number) => {
      this.write(operation, operationPlace + OPERATION_WORDS * WORD * number, weights[number]);
    });
    this.engine = exports.open(place, threads) >>> 0;
    if (!this.engine) throw new Error("out of memory: the module's arena is full");
  }

  /** Bytes of work memory for a size in pixels of the maps of scale 1; the size is then the next run's. */
  plan(height: number, width: number): number {
    const bytes = this.exports.plan(this.engine, height, width);
    if (bytes < 0) throw new Error("out of memory: the module's arena is full");
    return bytes;
  }

  /**
   * Compute, in slices of time.
   *
   * @param given the place of each given map by its number
   * @param pause called between two slices; what it throws ends the work
   */
  async run(
    height: number,
    width: number,
    given: Readonly<Record<number, number>>,
    pause: Pause,
  ): Promise<void> {
    const { exports, heap, engine } = this;
    const mark = heap.mark();
    try {
      const memory = heap.take(this.plan(height, width));
      this.point(given);
      exports.start(engine, memory, this.given);
      await this.compute(pause);
    } finally {
      heap.release(mark);
    }
  }

  /** As `plan`, for a picture by rows, which then begins. */
  planRows(height: number, width: number): RowNeeds {
    const bytes = this.exports.plan_rows(this.engine, height, width, BAND, this.rows);
    if (bytes < 0) throw new Error("out of memory: the module's arena is full");
    const rows = this.heap.integers(this.rows, this.program.maps.length);
    return { bytes, picture: rows[PICTURE]!, result: rows[RESULT]! };
  }

  /**
   * By rows: compute as far as rows of the picture below `rows` and room for rows of the result below `room` allow.
   * Row y of either lies at y modulo its ring's rows.
   *
   * @param memory the work memory, `given` and `pause` as of `run`
   */
  async goOn(
    memory: number,
    given: Readonly<Record<number, number>>,
    rows: number,
    room: number,
    pause: Pause,
  ): Promise<Reached> {
    this.point(given);
    this.exports.start_rows(this.engine, memory, this.given, rows, room, this.rows);
    const [done, kept] = this.heap.integers(this.rows, 2);
    await this.compute(pause);
    return { done: done!, kept: kept! };
  }

  private point(given: Readonly<Record<number, number>>): void {
    const pointers = this.heap.integers(this.given, this.program.maps.length).fill(0);
    for (const [map, place] of Object.entries(given)) pointers[Number(map)] = place;
  }

  /** What was started, to its end. */
  private async compute(pause: Pause): Promise<void> {
    const { exports, engine } = this;
    try {
      for (;;) {
        const share = exports.advance(engine, performance.now() + SLICE);
        if (share > 1) return;
        await pause(share);
      }
    } catch (error) {
      exports.stop(engine);
      while (exports.advance(engine, performance.now() + SLICE) <= 1) continue;
      throw error;
    }
  }

  close(): void {
    this.exports.close(this.engine);
  }

  private weighed(operation: Operation, known: Known): Weights | undefined {
    const { layer } = operation;
    const before = layer && known.get(layer);
    if (before) return before;
    const weights = this.weigh(operation);
    if (layer && weights) known.set(layer, weights);
    return weights;
  }

  private weigh({ kind, layer, channels, begins, order, normalised }: Operation): Weights | undefined {
    if (kind === LOAD && normalised) {
      const kept = (values: Float32Array): number => {
        const at = this.heap.take(WORD * values.length);
        this.heap.floats(at, values.length).set(values);
        return at;
      };
      return { weights: kept(normalised.factor), bias: kept(normalised.offset), slopes: 0 };
    }
    if (!layer) return undefined;
    const { filter, outputs: filterOutputs, enlarge, sources } = layer;
    const lanes = this.exports.lanes();
    const filterInputs = filter.length / (layer.side ** 2 * filterOutputs);
    const parts = enlarge ** 2;
    const sizeOf = (inputs: number) =>
      kind === POINTWISE ? inputs * order.length : transformedSize(inputs, order.length, enlarge);
    const total = channels.reduce((sum, count) => sum + count, 0);
    const place = this.heap.take(WORD * sizeOf(total));
    let [from, first, real] = [0, 0, 0];
    while (first < channels.length) {
      // the sources that are multiplied together, each padded
      const inputs: number[] = [];
      let end = first;
      do {
        const layerChannels = sources.length === 1 ? channels[0]! : realChannels(layer, end);
        for (let c = 0; c < channels[end]!; c++) inputs.push(c < layerChannels ? real + c : NONE);
        real += layerChannels;
        end++;
      } while (end < channels.length && !((begins >> end) & 1));
      const count = sizeOf(inputs.length);
      const product = { filter, inputs, filterInputs, filterOutputs, outputs: order, enlarge };
      (kind === POINTWISE ? layOut : transform)(product, lanes, this.heap.floats(place + WORD * from, count));
      from += count;
      first = end;
    }
    const vector = (values: Float32Array): number => {
      const at = this.heap.take(WORD * order.length * parts);
      const target = this.heap.floats(at, order.length * parts);
      for (let n = 0; n < target.length; n++) {
        const output = order[n % order.length]!;
        target[n] = output < 0 ? 0 : values[output]!;
      }
      return at;
    };
    return { weights: place, bias: vector(layer.bias), slopes: layer.slopes ? vector(layer.slopes) : 0 };
  }

  private write(operation: Operation, place: number, weights: Weights | undefined): void {
    const { kind, sources, channels, begins, target, residuals, waits, order, enlarge, repeat } = operation;
    const words = this.heap.integers(place, OPERATION_WORDS);
    const several = (values: readonly number[], count: number, missing: number) =>
      Array.from({ length: count }, (_, index) => values[index] ?? missing);
    words.set([
      kind,
      sources.length,
      ...several(sources, SOURCES, 0),
      ...several(channels, SOURCES, 0),
      begins,
      target,
      ...several(
        residuals.map(({ map }) => map),
        2,
        NONE,
      ),
      0, // the factors, below
      0,
      ...several(waits, 2, NONE),
      order.length * (kind === CONVOLVE ? enlarge ** 2 : 1), // none of LOAD and STORE
      enlarge,
      repeat,
      ACTIVATIONS[operation.layer?.activation ?? "none"],
      weights?.weights ?? 0,
      weights?.bias ?? 0,
      weights?.slopes ?? 0,
    ]);
    const factors = 4 + 2 * SOURCES + 2;
    this.heap.floats(place + WORD * factors, 2).set(
      several(
        residuals.map(({ factor }) => factor),
        2,
        0,
      ),
    );
  }
}

interface Weights {
  readonly weights: number;
  readonly bias: number;
  readonly slopes: number;
}

function realChannels(layer: NonNullable<Operation["layer"]>, source: number): number {
  const read = layer.sources[source]!;
  return read.kind === "convolution" ? read.outputs : read.channels;
}
