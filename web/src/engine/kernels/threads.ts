/** Helpers: workers that compute with the thread that calls, over one memory. */
import type { Heap, Loaded } from "./module.js";

/** A worker of whatever place this is. */
export interface Helper {
  postMessage(message: unknown): void;
  terminate(): unknown;
}

/** How helpers come to be: in a page's workers, or in Node's. */
export interface Spawner {
  /** How many threads compute together. */
  readonly threads: number;
  /** How many ms workers have to start, by default 5000; without them one thread computes. */
  readonly patience?: number;
  /** Start a worker with this source; `answered` is called with its first message, `failed` if it cannot start. */
  spawn(source: string, answered: () => void, failed: () => void): Helper;
}

const FEW_CORES = 4;
const MOST = 16; // see wasm.c
const MISSING = 1; // cores, where nobody tells of any
const STACK = 128 * 1024;
const PATIENCE = 5000;

// text, so that no bundler and no server must know of it; Bun's threads have a `self` too, which hears nothing
const SOURCE = `
const port = typeof require === "undefined" ? self : require("node:worker_threads").parentPort;
const begin = ({ module, memory, stack, worker }) => {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const env = { memory, now: () => performance.now(), rest: () => Atomics.wait(cell, 0, 0, 0.05) };
  const { exports } = new WebAssembly.Instance(module, { env });
  exports.__stack_pointer.value = stack;
  port.postMessage("ready");
  exports.help(worker);
};
if (port.on) port.on("message", begin);
else port.onmessage = ({ data }) => begin(data);
`;

export const pageSpawner: Spawner = {
  get threads() {
    const { navigator } = globalThis as { navigator?: { hardwareConcurrency?: number } };
    return threadsFor(navigator?.hardwareConcurrency ?? MISSING);
  },
  spawn(source, answered, failed) {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const worker = new Worker(url);
    worker.onmessage = () => {
      URL.revokeObjectURL(url);
      answered();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      failed();
    };
    return worker;
  },
};
let spawner = pageSpawner;

/** Start helpers in another way than a page does. */
export function useSpawner(other: Spawner): void {
  spawner = other;
}

/** How many threads to compute with: all of a few cores, half of many. */
export function threadsFor(cores: number): number {
  return Math.min(cores, Math.max(FEW_CORES, Math.floor(cores / 2)), MOST);
}

/** Start all helpers but the caller's own thread; none where one of them does not start. */
export async function startHelpers({ module, memory }: Loaded, heap: Heap): Promise<Helper[]> {
  const helpers: Helper[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const count = spawner.threads - 1;
      let ready = 0;
      if (count < 1) resolve();
      timer = setTimeout(reject, spawner.patience ?? PATIENCE);
      for (let worker = 1; worker <= count; worker++) {
        const stack = heap.take(STACK) + STACK;
        const answered = () => {
          if (++ready === count) resolve();
        };
        const helper = spawner.spawn(SOURCE, answered, () => reject(new Error("a worker does not start")));
        helpers.push(helper);
        helper.postMessage({ module, memory, stack, worker });
      }
    });
    return helpers;
  } catch {
    helpers.forEach((helper) => void helper.terminate());
    return [];
  } finally {
    clearTimeout(timer);
  }
}
