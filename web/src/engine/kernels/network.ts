/** A network by kernels of our own: trunk and tail, as `Network` of TF.js offers them. */
import type { Floats } from "../../models/bytes.js";
import type { Model } from "../../models/download.js";
import type { ModelInfo } from "../../models/manifest.js";
import { checkFinite, type Features, type Network, type Pause } from "../network.js";
import { planBands, type Tile } from "../../tiling/tiling.js";
import type { Layers } from "./layers.js";
import { PICTURE, RESULT, type Program } from "./operations.js";
import { Heap, loadModule, type Loaded } from "./module.js";
import { goesByRows, tailPrograms, tailScale, trunkPrograms } from "./program.js";
import { layersOf } from "./reader.js";
import { KernelRows } from "./rows.js";
import { Runner, type Known } from "./runner.js";
import { startHelpers, type Helper } from "./threads.js";
import { padded } from "./winograd.js";

const FLOAT = 4;
const TILE = 4; // pixels of a side that are computed together
const BAND_TILES = 4; // tiles of TF.js whose pixels make a band
const USUAL_SIZE = 256; // pixels a side, for which programs are compared

export class KernelsNetwork implements Network {
  readonly byRows: KernelRows | undefined;
  private held = false;

  private constructor(
    readonly info: ModelInfo,
    private readonly loaded: Loaded,
    private readonly heap: Heap,
    private readonly helpers: readonly Helper[],
    private readonly layers: Layers,
    private readonly trunkRunner: Runner,
    private readonly tailRunner: Runner | undefined,
    rowRunner: Runner | undefined,
  ) {
    const features = padded(layers.features);
    this.byRows =
      rowRunner &&
      new KernelRows(info, features, heap, rowRunner, {
        hold: () => this.hold(),
        tailBytes: (rows, columns) => this.tailBytes(rows, columns),
        tail: (place, height, width, pause) => this.tailAt(place, height, width, pause),
      });
  }

  /**
   * @throws Unsupported the graph is of another form
   * @throws Error there is no WebAssembly with SIMD here, or memory is short
   */
  static async load(model: Model): Promise<KernelsNetwork> {
    const layers = layersOf(model);
    const [trunks, tails] = [trunkPrograms(layers), tailPrograms(layers)];
    const loaded = await loadModule(true);
    const heap = new Heap(loaded.memory, loaded.exports.__heap_base.value);
    const helpers = loaded.shared ? await startHelpers(loaded, heap) : [];
    const threads = helpers.length + 1;
    try {
      const known: Known = new Map();
      const runner = (program: Program) => new Runner(loaded.exports, heap, program, threads, known);
      const tail = tails.length ? runner(smallest(tails, loaded, heap, threads)) : undefined;
      const trunk = runner(smallest(trunks, loaded, heap, threads));
      const program = trunks.find(goesByRows);
      const rows = program && (program === trunk.program ? trunk : runner(program));
      return new KernelsNetwork(model.manifest.info, loaded, heap, helpers, layers, trunk, tail, rows);
    } catch (error) {
      helpers.forEach((helper) => void helper.terminate());
      throw error;
    }
  }

  get threads(): number {
    return this.helpers.length + 1;
  }

  /** Whether sums and products are fused. */
  get relaxed(): boolean {
    return this.loaded.relaxed;
  }

  async trunk(values: Float32Array, height: number, width: number, pause: Pause): Promise<Features> {
    const { info, heap, layers } = this;
    const channels = info.inChannels;
    const [rows, columns] = [height / info.unshuffle, width / info.unshuffle];
    const dispose = this.hold();
    try {
      const features = heap.take(FLOAT * rows * columns * padded(layers.features));
      const mark = heap.mark();
      const picture = heap.take(FLOAT * values.length);
      const planes = heap.floats(picture, values.length);
      const size = height * width;
      for (let c = 0; c < channels; c++)
        for (let pixel = 0; pixel < size; pixel++) planes[c * size + pixel] = values[pixel * channels + c]!;
      await this.trunkRunner.run(rows, columns, { [PICTURE]: picture, [RESULT]: features }, pause);
      heap.release(mark);
      const made: Held = { height: rows, width: columns, place: features, dispose };
      return made;
    } catch (error) {
      dispose();
      throw error;
    }
  }

  /** Keeps other pictures away until what it returns is called, which gives back all memory taken since. */
  private hold(): () => void {
    if (this.held) throw new Error("the features of another picture are still held");
    const start = this.heap.mark();
    this.held = true;
    return () => {
      this.held = false;
      this.heap.release(start);
    };
  }

  async tail(
    features: Features,
    top: number,
    left: number,
    height: number,
    width: number,
    pause: Pause = () => Promise.resolve(),
  ): Promise<Floats> {
    if (left !== 0 || width !== features.width) throw new Error("tiles of the tail are bands of whole rows");
    const row = FLOAT * width * padded(this.layers.features);
    return await this.tailAt((features as Held).place + top * row, height, width, pause);
  }

  private async tailAt(given: number, height: number, width: number, pause: Pause): Promise<Floats> {
    const { heap, info, layers } = this;
    const scale = tailScale(layers);
    const [rows, columns] = [height * scale, width * scale];
    const mark = heap.mark();
    try {
      const count = info.outChannels * rows * columns;
      const result = heap.take(FLOAT * count);
      const { exports } = this.loaded;
      if (this.tailRunner)
        await this.tailRunner.run(height, width, { [PICTURE]: given, [RESULT]: result }, pause);
      else exports.shuffle(given, padded(layers.features), result, info.outChannels, scale, height, width);
      const values = interleaved(heap.floats(result, count), info.outChannels);
      checkFinite(values);
      return values;
    } finally {
      heap.release(mark);
    }
  }

  /** Bands of whole rows, which lie in memory as they are. They have the tiles of the whole, so equal it to the bit. */
  tailTiles(height: number, width: number, size: number): Tile[] {
    const rows = Math.max(size, (BAND_TILES * size ** 2) / width);
    return planBands(height, width, rows, this.info.tailHalo, TILE);
  }

  bytes(height: number, width: number, tailSize: number): number {
    const { info, layers } = this;
    const [rows, columns] = [height / info.unshuffle, width / info.unshuffle];
    const kept = height * width * info.inChannels + rows * columns * padded(layers.features);
    const [band] = this.tailTiles(rows, columns, tailSize);
    const tail = this.tailBytes(band!.windowHeight, columns);
    return FLOAT * kept + Math.max(this.trunkRunner.plan(rows, columns), tail);
  }

  /** Of the tail of rows x columns of features, which are held apart. */
  private tailBytes(rows: number, columns: number): number {
    const result = this.info.outChannels * rows * columns * tailScale(this.layers) ** 2;
    return (this.tailRunner?.plan(rows, columns) ?? 0) + 2 * FLOAT * result;
  }

  dispose(): void {
    this.helpers.forEach((helper) => void helper.terminate());
  }
}

interface Held extends Features {
  readonly place: number;
}

/** The program that takes the least memory. */
function smallest(programs: readonly Program[], { exports }: Loaded, heap: Heap, threads: number): Program {
  const mark = heap.mark();
  let [best, least] = [programs[0]!, Infinity];
  for (const program of programs.length > 1 ? programs : []) {
    const runner = new Runner(exports, heap, program, threads, undefined);
    const bytes = runner.plan(USUAL_SIZE, USUAL_SIZE);
    runner.close();
    heap.release(mark);
    if (bytes < least) [best, least] = [program, bytes];
  }
  return best;
}

/** Planes as pixels. */
function interleaved(planes: Float32Array, channels: number): Floats {
  const result = new Float32Array(planes.length);
  const size = planes.length / channels;
  for (let c = 0; c < channels; c++)
    for (let pixel = 0; pixel < size; pixel++) result[pixel * channels + c] = planes[c * size + pixel]!;
  return result;
}
