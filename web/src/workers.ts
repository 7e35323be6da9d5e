/** The library's own worker: where its script is, and how it starts from there. */
import { messageOf } from "./errors.js";
import { WorkerMissing } from "./threads/remote.js";

/** @throws WorkerMissing there are none here, or its script has no address */
export function ownWorker(): Worker {
  if (typeof Worker === "undefined") throw new WorkerMissing("workers cannot be started here");
  let place: { url: string; options: WorkerOptions } | undefined;
  const Original = globalThis.Worker;
  // bundlers know this one form, and put their address and options into it: they are listened to, for `start`
  // eslint-disable-next-line @typescript-eslint/no-extraneous-class -- it stands for a class
  globalThis.Worker = class {
    constructor(url: string | URL, options: WorkerOptions = {}) {
      place = { url: String(url), options };
    }
  } as unknown as typeof Worker;
  try {
    new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  } catch (error) {
    throw new WorkerMissing(`the bundle does not contain the address of worker.js (${messageOf(error)})`);
  } finally {
    globalThis.Worker = Original;
  }
  if (!place) throw new WorkerMissing("the bundle contains no worker");
  return start(place.url, place.options);
}

/** From the address of the package's worker.js. */
export function workerAt(url: string): Worker {
  if (typeof Worker === "undefined")
    throw new WorkerMissing("workers cannot be started here; load the model with worker: false");
  return start(url, { type: "module" });
}

/** A worker's script must be of the page's own origin, but may import one of another. */
function start(url: string, options: WorkerOptions): Worker {
  try {
    const { origin, protocol } = new URL(url, location.href);
    if (origin === location.origin || protocol === "blob:" || protocol === "data:")
      return new Worker(url, options);
    const whole = JSON.stringify(new URL(url, location.href).href);
    const text = options.type === "module" ? `import ${whole};` : `importScripts(${whole});`;
    const blob = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    // the address is left to the page: revoked, it would be gone before it is read
    return new Worker(blob, options);
  } catch (error) {
    throw new WorkerMissing(`the worker at ${url.slice(0, 200)} does not start: ${messageOf(error)}`);
  }
}
