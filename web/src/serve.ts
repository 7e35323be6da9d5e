/**
 * The inside of a worker. To make a worker of your own, with the backends that you choose, write
 *
 *     import "tfjs-esrgan/wasm";
 *     import { serve } from "tfjs-esrgan/serve";
 *     serve();
 *
 * and pass it to `Upscaler.load(url, { worker: new Worker(...) })`.
 *
 * @module tfjs-esrgan/serve
 */
import * as tf from "@tensorflow/tfjs-core";
import { EsrganError, toPlain } from "./errors.js";
import { localRunner } from "./models/local.js";
import type { FromWorker, Runner, ToWorker } from "./threads/protocol.js";
import type { LoadProgress } from "./options.js";
import { watchPolicy } from "./threads/policy.js";

export { registerBackend, type Backend } from "./engine/backend.js";

interface Port {
  postMessage(message: FromWorker, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
}

/** Do the work for an `Upscaler` in the page; call it once, in a worker. */
export function serve(port: Port = globalThis as unknown as Port): void {
  tf.env().set("PROD", true);
  watchPolicy();
  const aborts = new Map<number, AbortController>();
  let runner: Runner | undefined;
  const send = (message: FromWorker, transfer: Transferable[] = []) => {
    port.postMessage(message, transfer);
  };

  const handle = async (
    message: Exclude<ToWorker, { kind: "abort" }>,
    signal: AbortSignal,
  ): Promise<void> => {
    const { id } = message;
    if (message.kind === "load") {
      const onProgress = (progress: LoadProgress) => {
        send({ kind: "loading", id, progress });
      };
      runner = await localRunner(message.origin, message.options, { signal, onProgress });
      const { info, backend, engine, reason } = runner;
      send({ kind: "loaded", id, info, backend, engine, reason });
    } else if (message.kind === "dispose") {
      await runner?.dispose();
      send({ kind: "disposed", id });
    } else {
      if (!runner) throw new EsrganError("the worker has no model yet; load one with Upscaler.load() first");
      const { request } = message;
      const answer = await runner.upscale(message.portable, request, {
        signal,
        onTile: request.wantsTiles
          ? (tile) => {
              send({ kind: "tile", id, tile }, tile.preview ? [tile.preview.data.buffer] : []);
            }
          : undefined,
        onProgress: request.wantsProgress
          ? (share) => {
              send({ kind: "progress", id, share });
            }
          : undefined,
      });
      const { content } = answer;
      const isBitmap = typeof ImageBitmap !== "undefined" && content instanceof ImageBitmap;
      const transfer = isBitmap ? [content] : "data" in content ? [content.data.buffer] : [];
      send({ kind: "answer", id, answer }, transfer);
    }
  };

  port.onmessage = ({ data: message }) => {
    if (message.kind === "abort") {
      aborts.get(message.id)?.abort();
      return;
    }
    const abort = new AbortController();
    aborts.set(message.id, abort);
    handle(message, abort.signal)
      .catch((error: unknown) => {
        send({ kind: "failed", id: message.id, error: toPlain(error) });
      })
      .finally(() => aborts.delete(message.id));
  };
}
