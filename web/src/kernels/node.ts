/** Helpers as Node's worker threads. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Spawner } from "./threads.js";

export const nodeSpawner: Spawner = {
  threads: availableParallelism(),
  spawn(source, answered, failed) {
    const worker = new Worker(source, { eval: true });
    worker.unref(); // an upscaler that was never disposed does not keep the process
    worker.once("message", answered);
    worker.once("error", failed);
    return worker;
  },
};
