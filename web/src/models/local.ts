/** A runner in this thread: the worker's inside, or the page's own where no worker is wanted. */
import { browserCache } from "./cache.js";
import { encode } from "../images/canvas.js";
import { placeOf } from "./origins.js";
import type { Origin, Runner, RunnerHooks, RunnerOptions } from "../threads/protocol.js";
import { Session } from "../session.js";
import { toPicture } from "../images/sources.js";

export async function localRunner(
  origin: Origin,
  options: RunnerOptions,
  hooks: RunnerHooks,
): Promise<Runner> {
  const { request, cache: keep, ...rest } = options;
  const place = placeOf(origin, { request });
  const cache = keep ? await browserCache() : undefined;
  const session = await Session.load(place, rest, { ...hooks, cache });
  return {
    info: session.info,
    // another may take over, see Engine.recover
    get backend() {
      return session.backend;
    },
    get engine() {
      return session.engineName;
    },
    get reason() {
      return session.reason;
    },
    async upscale(portable, request, given) {
      if (request.onGpu && "bitmap" in portable) {
        const drawn = await session.draw(portable, request.settings, given).catch((error: unknown) => {
          portable.bitmap.close();
          throw error;
        });
        if (drawn) {
          portable.bitmap.close();
          const { bitmap, ...account } = drawn;
          return { ...account, content: bitmap, width: bitmap.width, height: bitmap.height };
        }
      }
      const { picture, ...account } = await session.upscale(toPicture(portable), request.settings, given);
      const content = request.encode ? await encode(picture, request.encode) : picture;
      return { ...account, content, width: picture.width, height: picture.height };
    },
    dispose: () => session.dispose(),
  };
}
