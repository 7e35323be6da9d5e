/** One piece of work at a time in this thread: TF.js has one current backend for all. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Do some work after all that was asked for before.
 *
 * @param signal ends the wait at once; the work itself must heed it once it runs
 */
export function inTurn<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let running = false;
    const giveUp = () => {
      if (!running) reject(signal?.reason as Error);
    };
    signal?.addEventListener("abort", giveUp, { once: true });
    const turn = last.then(async () => {
      running = true;
      signal?.throwIfAborted();
      return await work();
    });
    last = turn.catch(() => undefined);
    turn.then(resolve, reject).finally(() => signal?.removeEventListener("abort", giveUp));
  });
}

/** Let everything that waits for the thread have its turn: messages, painting, timers. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    // unlike setTimeout, a message is not held back by 4 ms
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
