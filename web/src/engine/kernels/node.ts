/** Helpers as Node's worker threads. */
import { threadsFor, type Spawner } from "./threads.js";

/** Node's modules are imported when this is called: a file that holds it can be loaded by a page. */
export async function nodeSpawner(): Promise<Spawner> {
  const { availableParallelism } = await import("node:os");
  const { Worker } = await import("node:worker_threads");
  return {
    threads: threadsFor(availableParallelism()),
    spawn(source, answered, failed) {
      const worker = new Worker(source, { eval: true });
      worker.unref(); // an upscaler that was never disposed does not keep the process
      worker.once("message", answered);
      worker.once("error", failed);
      return worker;
    },
  };
}
