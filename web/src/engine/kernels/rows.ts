/** A picture through the kernels by rows, in memory for its width alone. */
import type { Floats } from "../../models/bytes.js";
import type { ModelInfo } from "../../models/manifest.js";
import { planBands, type Tile } from "../../tiling/tiling.js";
import type { Band, ByRows, Pause } from "../network.js";
import type { Heap } from "./module.js";
import { PICTURE, RESULT } from "./operations.js";
import type { Reached, Runner } from "./runner.js";

const FLOAT = 4;
const TILE = 4; // pixels of a side that are computed together
const LEAST_ROWS = 32; // of features that go through the tail together: its halo then costs an eighth
const BAND_AREA = 64 ** 2; // pixels of features that suffice for a band

type Read = (top: number, rows: number) => Float32Array;

/** What the network does for it. */
export interface Surroundings {
  /** Keeps other pictures away until what it returns is called, which gives back all memory taken since. */
  hold(): () => void;
  /** Bytes of the tail of rows x columns of features, which are held apart. */
  tailBytes(rows: number, columns: number): number;
  /** The tail of rows x columns of features that lie at a place. */
  tail(place: number, rows: number, columns: number, pause: Pause): Promise<Floats>;
}

export class KernelRows implements ByRows {
  /**
   * @param channels of features, padded
   * @param runner of the trunk, as one phase
   */
  constructor(
    private readonly info: ModelInfo,
    private readonly channels: number,
    private readonly heap: Heap,
    private readonly runner: Runner,
    private readonly network: Surroundings,
  ) {}

  bytes(height: number, width: number): number {
    const { unshuffle: fold } = this.info;
    const [rows, columns] = [height / fold, width / fold];
    const band = highest(this.cut(rows, columns));
    const features = FLOAT * this.channels * columns * band;
    return this.trunkBytes(rows, columns) + features + this.network.tailBytes(band, columns);
  }

  /** Of the trunk alone, in feature pixels: as of `esrgan_torch/engines/native/rows.py`. */
  trunkBytes(rows: number, columns: number): number {
    const { inChannels, unshuffle: fold } = this.info;
    const { bytes, picture, result } = this.runner.planRows(rows, columns);
    return bytes + FLOAT * columns * (picture * inChannels * fold ** 2 + result * this.channels);
  }

  bands(height: number, width: number): number {
    const { unshuffle: fold } = this.info;
    return this.cut(height / fold, width / fold).length;
  }

  async *run(height: number, width: number, read: Read, pause: Pause): AsyncGenerator<Band> {
    const { heap, info, network, channels } = this;
    const { unshuffle: fold, scale, outChannels } = info;
    const [rows, columns] = [height / fold, width / fold];
    const bands = this.cut(rows, columns);
    const release = network.hold();
    let share = 0;
    const told: Pause = (done) => pause((share = Math.max(share, done)));
    try {
      const row = columns * channels;
      const place = heap.take(FLOAT * row * highest(bands));
      const passage = new Passage(info, channels, heap, this.runner, rows, columns, read);
      const line = width * scale * outChannels;
      const here = { first: 0, end: 0 }; // rows of features at the place
      for (const { top, height: count, windowTop, windowHeight } of bands) {
        const again = here.end - windowTop; // rows that the band before had too
        heap
          .floats(place, row * (here.end - here.first))
          .copyWithin(0, row * (windowTop - here.first), row * (here.end - here.first));
        await passage.next(place + FLOAT * row * again, windowHeight - again, told);
        [here.first, here.end] = [windowTop, windowTop + windowHeight];
        const large = await network.tail(place, windowHeight, columns, () => pause(share));
        const [from, many] = [(top - windowTop) * fold * scale, count * fold * scale];
        yield {
          top: top * fold * scale,
          height: many,
          values: large.subarray(from * line, (from + many) * line),
        };
        await told((top + count) / rows); // a fast network computes all of it between two looks
      }
    } finally {
      release();
    }
  }

  /** In feature pixels. */
  private cut(rows: number, columns: number): Tile[] {
    return planBands(rows, columns, Math.max(LEAST_ROWS, BAND_AREA / columns), this.info.tailHalo, TILE);
  }
}

/** A picture on its way through the trunk; sizes are those of the maps. */
class Passage {
  private readonly memory: number;
  private readonly picture: number;
  private readonly result: number;
  private readonly rings: { readonly picture: number; readonly result: number };
  private given = 0; // rows of the picture
  private taken = 0; // rows of features
  private reached: Reached = { done: 0, kept: 0 };

  constructor(
    private readonly info: ModelInfo,
    private readonly channels: number,
    private readonly heap: Heap,
    private readonly runner: Runner,
    private readonly height: number,
    private readonly width: number,
    private readonly read: Read,
  ) {
    const { bytes, ...rings } = runner.planRows(height, width);
    this.rings = rings;
    this.picture = heap.take(FLOAT * info.inChannels * rings.picture * width * info.unshuffle ** 2);
    this.result = heap.take(FLOAT * channels * rings.result * width);
    this.memory = heap.take(bytes);
  }

  /** The next rows of features to a place. */
  async next(place: number, count: number, pause: Pause): Promise<void> {
    const row = this.width * this.channels;
    for (let copied = 0; copied < count;) {
      while (this.taken === this.reached.done) await this.goOn(pause);
      const at = this.taken % this.rings.result;
      const many = Math.min(count - copied, this.reached.done - this.taken, this.rings.result - at);
      const from = this.heap.floats(this.result + FLOAT * row * at, row * many);
      this.heap.floats(place + FLOAT * row * copied, row * many).set(from);
      this.taken += many;
      copied += many;
    }
  }

  private async goOn(pause: Pause): Promise<void> {
    const { kept } = this.reached;
    const before = this.given;
    const room = this.rings.picture;
    while (this.given < this.height && this.given - kept < room) {
      const at = this.given % room;
      this.put(at, Math.min(kept + room - this.given, this.height - this.given, room - at));
    }
    const maps = { [PICTURE]: this.picture, [RESULT]: this.result };
    const end = this.taken + this.rings.result;
    const reached = await this.runner.goOn(this.memory, maps, this.given, end, pause);
    if (this.given === before && reached.done === this.taken && reached.kept === kept)
      throw new Error("too few rows are kept to compute the next ones");
    this.reached = reached;
  }

  /** The picture's next rows into its ring, as planes. */
  private put(at: number, count: number): void {
    const { inChannels, unshuffle: fold } = this.info;
    const values = this.read(this.given * fold, count * fold);
    const line = this.width * fold;
    const plane = this.rings.picture * fold * line;
    const ring = this.heap.floats(this.picture, inChannels * plane);
    for (let c = 0; c < inChannels; c++) {
      const start = c * plane + at * fold * line;
      for (let pixel = 0; pixel < count * fold * line; pixel++)
        ring[start + pixel] = values[pixel * inChannels + c]!;
    }
    this.given += count;
  }
}

function highest(bands: readonly Tile[]): number {
  return Math.max(...bands.map(({ windowHeight }) => windowHeight));
}
