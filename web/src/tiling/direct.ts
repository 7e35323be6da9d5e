/** A picture from one bitmap to another without the processor's seeing its pixels, where the engine is on the GPU. */
import type { Engine } from "../engine/engine.js";
import { NonFiniteError, OutOfMemoryError } from "../errors.js";
import type { Pause } from "../engine/network.js";
import type { ColourSpace } from "../images/colour-space.js";
import { targetSize } from "../images/target-size.js";
import type { Settings } from "../options.js";
import { makePlan, type Plan } from "./plan.js";

export interface Direct {
  readonly bitmap: ImageBitmap;
  readonly colorSpace: ColourSpace;
}

/**
 * @param given stays the caller's
 * @returns undefined: it has to go by the processor, since it is transparent, of one colour, too large to be computed whole
 *   or wanted in another size than the network's, or since the engine or the device is not up to it
 */
export async function drawn(
  engine: Engine,
  { bitmap, colorSpace }: Direct,
  settings: Settings,
  pause: Pause,
): Promise<{ bitmap: ImageBitmap; plan: Plan } | undefined> {
  const { network } = engine;
  const { tile = "auto" } = settings;
  const { scale, unshuffle } = network.info;
  const size = targetSize(bitmap, scale, settings);
  const isOwn = size.width === scale * bitmap.width && size.height === scale * bitmap.height;
  if (!network.draw || typeof tile === "object" || !isOwn) return undefined;
  const [height, width] = [bitmap.height, bitmap.width].map(
    (side) => Math.ceil(side / unshuffle) * unshuffle,
  );
  const plan = planOf(engine, height!, width!, tile);
  if (!plan || plan.windows.length > 1) return undefined;
  let thrown: unknown;
  const noted: Pause = async (share) => {
    await pause(share).catch((error: unknown) => {
      thrown = error;
      throw error;
    });
  };
  try {
    const result = await network.draw({ bitmap, colorSpace, tailSize: plan.tailSize, pause: noted });
    return result && { bitmap: result, plan };
  } catch (error) {
    if (error === thrown || error instanceof NonFiniteError) throw error;
    // the other way starts the engine anew, and says what is wrong with a bitmap that may not be read
    return undefined;
  }
}

/** With the textures: the picture given, the result, and the canvas's. undefined: it does not fit. */
function planOf(
  { network, memory }: Engine,
  height: number,
  width: number,
  tile: "auto" | "exact",
): Plan | undefined {
  const { scale } = network.info;
  const bytesOf = (rows: number, columns: number, tail: number) =>
    network.bytes(rows, columns, tail) + 4 * rows * columns * (1 + 2 * scale ** 2);
  try {
    return makePlan(network.info, height, width, tile, memory, bytesOf);
  } catch (error) {
    if (error instanceof OutOfMemoryError) return undefined;
    throw error;
  }
}
