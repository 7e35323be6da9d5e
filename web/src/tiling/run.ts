/** Carry out a plan: one plane of a picture through the network, tile by tile. */
import { isMemoryFailure } from "../engine/backend.js";
import type { Model } from "../models/download.js";
import type { Engine } from "../engine/engine.js";
import { messageOf, OutOfMemoryError } from "../errors.js";
import { crossFadedMosaic, joinedMosaic, type Area, type Mosaic } from "./mosaic.js";
import type { Features, Network, Pause } from "../engine/network.js";
import { padPlane, toGray, toInput, type Plane } from "../images/pixels.js";
import { MINIMUM_SIZE, type Plan } from "./plan.js";
import { enlargeStrip } from "./rows.js";
import { makeTile, planStrips, planTiles, type Tile } from "./tiling.js";

/** A tile is finished: `values` (height, width, channels) in 0-1 lie at `area` of the result. */
export type Finished = (area: Area, values: Float32Array, channels: number) => void;

export interface RunContext {
  readonly engine: Engine;
  /** For a restart of the engine. */
  readonly reload: () => Promise<Model>;
  readonly plan: Plan;
  /** Whether a window that does not fit may be divided into overlapping ones. */
  readonly divisible: boolean;
  readonly pause: Pause;
  readonly finished: Finished;
}

/** Another engine took over, which knows no rows: the plane is to be planned anew. */
export class WithoutRows extends Error {}

const MOST_LOSSES = 4; // of a device, for one plane, after which another engine computes
const TRUNK_SHARE = 0.85; // of a window's time, for the progress

/** How many parts of the result a window gives, one after the other. */
export function partsOf({ windowHeight, windowWidth }: Tile, plan: Plan, network: Network): number {
  if (plan.byRows) return network.byRows!.bands(windowHeight, windowWidth);
  const fold = network.info.unshuffle;
  return network.tailTiles(windowHeight / fold, windowWidth / fold, plan.tailSize).length;
}

export class Run {
  /** Tiles that did not fit and were divided. */
  divided = 0;
  /** Whether the result so far equals the untiled one. */
  exact = true;
  private losses = 0;
  private tailSize: number;
  private windowsDone = 0;
  private plane!: Plane;
  private mosaic!: Mosaic;
  /** What a callback threw: an abort, or the caller's own error. It is never taken for a failure of memory. */
  private thrown: unknown;
  private readonly context: RunContext;

  constructor(context: RunContext) {
    const note = (error: unknown): never => {
      this.thrown = error;
      throw error;
    };
    this.context = {
      ...context,
      pause: (share) => context.pause(share).catch(note),
      finished: (area, values, channels) => {
        try {
          context.finished(area, values, channels);
        } catch (error) {
          note(error);
        }
      },
    };
    this.tailSize = context.plan.tailSize;
  }

  /**
   * @returns the plane, `scale` times as high and wide
   * @throws WithoutRows
   * @throws OutOfMemoryError a tile of 16 pixels does not fit either, or dividing is not allowed
   */
  async enlarge(plane: Plane): Promise<Plane> {
    const { engine, plan } = this.context;
    const { scale, unshuffle } = engine.network.info;
    this.plane = padPlane(plane, unshuffle);
    const height = this.plane.height * scale;
    const width = this.plane.width * scale;
    this.mosaic = plan.fade
      ? crossFadedMosaic(height, width, plane.channels, plan.fade * scale)
      : joinedMosaic(height, width, plane.channels);
    for (const tile of plan.windows) {
      await (plan.byRows ? this.strip(tile) : this.window(tile, tile));
      this.windowsDone++;
    }
    return crop(
      { height, width, channels: plane.channels, values: this.mosaic.finish() },
      plane.height * scale,
      plane.width * scale,
    );
  }

  /** Compute a strip of columns by rows, in halves where memory does not allow more; the result is exact all the same. */
  private async strip(strip: Tile): Promise<void> {
    const { engine, plan, pause, finished } = this.context;
    const { receptiveField, unshuffle } = engine.network.info;
    try {
      const share = (done: number) => pause((this.windowsDone + done) / plan.windows.length);
      for await (const { area, values, channels } of enlargeStrip(this.plane, strip, engine.network, share)) {
        finished(area, values, channels);
        this.mosaic.put(area, area, values);
      }
      return;
    } catch (error) {
      if (error === this.thrown || (!engine.isLost() && !isMemoryFailure(error))) throw error;
      this.divided++;
      await engine.recover(await this.context.reload());
      if (!engine.network.byRows) throw new WithoutRows();
      if (strip.width < Math.max(receptiveField, 2 * MINIMUM_SIZE))
        throw new OutOfMemoryError(
          `even a strip of ${strip.windowWidth} columns does not fit in memory (${messageOf(error)}); free memory, or ` +
            'set `memory` lower and tile to "auto" for overlapping tiles',
        );
    }
    for (const half of planStrips(strip.height, strip.width, 2, 0, unshuffle)) {
      const reach = Math.ceil(receptiveField / unshuffle) * unshuffle;
      const { height, width } = this.plane;
      await this.strip(makeTile(0, strip.left + half.left, height, half.width, height, width, reach));
    }
  }

  /** Compute `tile`, which is `core` or a part of it that memory allows. */
  private async window(core: Tile, tile: Tile): Promise<void> {
    const { engine, divisible, plan } = this.context;
    for (let isAgain = false; ;) {
      const stage = { tail: false };
      try {
        await this.attempt(core, tile, stage);
        return;
      } catch (error) {
        const isLost = engine.isLost();
        if (error === this.thrown || (!isLost && !isMemoryFailure(error))) throw error;
        if (isLost) this.losses++;
        const elsewhere = this.losses > MOST_LOSSES;
        if (elsewhere) this.losses = 0;
        await engine.recover(await this.context.reload(), elsewhere);
        // a device goes for many reasons: one that goes at the same place again is taken to have too little memory
        if (isLost && (elsewhere || !isAgain)) {
          isAgain = !elsewhere;
          continue;
        }
        this.divided++;
        if (stage.tail && this.tailSize > MINIMUM_SIZE) {
          this.tailSize = Math.max(Math.floor(this.tailSize / 2), MINIMUM_SIZE);
          continue;
        }
        const size = `${tile.windowWidth}x${tile.windowHeight} pixels`;
        if (!divisible)
          throw new OutOfMemoryError(
            `${size} do not fit in memory (${messageOf(error)}); set tile to "auto" for overlapping tiles`,
          );
        if (Math.max(tile.height, tile.width) < MINIMUM_SIZE) {
          throw new OutOfMemoryError(`even ${size} do not fit in memory (${messageOf(error)}); free memory`);
        }
      }
      this.exact &&= plan.overlap >= engine.network.info.receptiveField;
      for (const part of quarters(tile, engine.network.info.unshuffle)) {
        const { top, left, height, width } = part;
        await this.window(
          core,
          makeTile(top, left, height, width, this.plane.height, this.plane.width, plan.overlap),
        );
      }
      return;
    }
  }

  private async attempt(core: Tile, tile: Tile, stage: { tail: boolean }): Promise<void> {
    const { engine, plan, pause } = this.context;
    const { network } = engine;
    const { unshuffle: fold, inChannels } = network.info;
    const { windowTop, windowLeft, windowHeight, windowWidth } = tile;
    const input = toInput(this.plane, windowTop, windowLeft, windowHeight, windowWidth, inChannels);
    const share = (done: number) => pause((this.windowsDone + done) / plan.windows.length);
    const features = await network.trunk(input, windowHeight, windowWidth, (done) =>
      share(TRUNK_SHARE * done),
    );
    try {
      stage.tail = true;
      const reach = reachOf(tile, core, plan.fade, this.plane);
      const parts = network
        .tailTiles(windowHeight / fold, windowWidth / fold, this.tailSize)
        .filter((part) => meets(part, tile, fold, reach));
      // a sum of weights must not be added to twice, so what is mixed is put down when the window is done
      const later: (() => void)[] = [];
      for (const [number, part] of parts.entries()) {
        const within = (done: number) =>
          share(TRUNK_SHARE + ((1 - TRUNK_SHARE) * (number + done)) / parts.length);
        const put = await this.part(core, tile, part, reach, features, within);
        if (plan.fade) later.push(put);
        else put();
        await within(1);
      }
      later.forEach((put) => {
        put();
      });
    } finally {
      features.dispose();
    }
  }

  /** Compute one tile of the tail; returns what puts it down. */
  private async part(
    core: Tile,
    tile: Tile,
    part: Tile,
    reach: Area,
    features: Features,
    pause: Pause,
  ): Promise<() => void> {
    const { engine, finished } = this.context;
    const { scale, unshuffle: fold, outChannels } = engine.network.info;
    const raw = await engine.network.tail(
      features,
      part.windowTop,
      part.windowLeft,
      part.windowHeight,
      part.windowWidth,
      pause,
    );
    if (engine.isLost()) throw new Error("the device was lost");
    const gray = this.plane.channels < outChannels;
    const values = gray ? toGray(raw) : raw;
    const channels = this.plane.channels;
    // the part's core in input pixels of the picture, cut to what the tile delivers
    const top = Math.max(tile.windowTop + part.top * fold, reach.top);
    const left = Math.max(tile.windowLeft + part.left * fold, reach.left);
    const bottom = Math.min(tile.windowTop + (part.top + part.height) * fold, reach.top + reach.height);
    const right = Math.min(tile.windowLeft + (part.left + part.width) * fold, reach.left + reach.width);
    const area = scaled({ top, left, height: bottom - top, width: right - left }, scale);
    const originTop = (tile.windowTop + part.windowTop * fold) * scale;
    const originLeft = (tile.windowLeft + part.windowLeft * fold) * scale;
    const rowLength = part.windowWidth * fold * scale;
    let cropped = values;
    if (values.length !== area.height * area.width * channels) {
      cropped = new Float32Array(area.height * area.width * channels);
      for (let y = 0; y < area.height; y++) {
        const from = ((area.top - originTop + y) * rowLength + area.left - originLeft) * channels;
        cropped.set(values.subarray(from, from + area.width * channels), y * area.width * channels);
      }
    }
    finished(area, cropped, channels);
    return () => {
      this.mosaic.put(scaled(core, scale), area, cropped);
    };
  }
}

/** What a tile delivers: its core, and beyond the seams of `core` the fade. */
function reachOf(tile: Tile, core: Tile, fade: number, plane: Plane): Area {
  const bottom = tile.top + tile.height;
  const right = tile.left + tile.width;
  const top = tile.top === core.top ? Math.max(tile.top - fade, 0) : tile.top;
  const left = tile.left === core.left ? Math.max(tile.left - fade, 0) : tile.left;
  const end = bottom === core.top + core.height ? Math.min(bottom + fade, plane.height) : bottom;
  const side = right === core.left + core.width ? Math.min(right + fade, plane.width) : right;
  return { top, left, height: end - top, width: side - left };
}

/** Whether a tile of the tail, in feature pixels of the window, touches what the tile delivers. */
function meets(part: Tile, tile: Tile, fold: number, reach: Area): boolean {
  const top = tile.windowTop + part.top * fold;
  const left = tile.windowLeft + part.left * fold;
  return (
    top + part.height * fold > reach.top &&
    top < reach.top + reach.height &&
    left + part.width * fold > reach.left &&
    left < reach.left + reach.width
  );
}

/** The core's quarters; halves where one side is too short to cut. */
function quarters(tile: Tile, multiple: number): Area[] {
  const size = Math.max(Math.ceil(Math.max(tile.height, tile.width) / (2 * multiple)) * multiple, multiple);
  return planTiles(tile.height, tile.width, size, 0, multiple).map(({ top, left, height, width }) => ({
    top: tile.top + top,
    left: tile.left + left,
    height,
    width,
  }));
}

function scaled({ top, left, height, width }: Area, scale: number): Area {
  return { top: top * scale, left: left * scale, height: height * scale, width: width * scale };
}

function crop(plane: Plane, height: number, width: number): Plane {
  if (plane.height === height && plane.width === width) return plane;
  const { channels } = plane;
  const values = new Uint8ClampedArray(height * width * channels);
  for (let y = 0; y < height; y++) {
    const from = y * plane.width * channels;
    values.set(plane.values.subarray(from, from + width * channels), y * width * channels);
  }
  return { height, width, channels, values };
}
