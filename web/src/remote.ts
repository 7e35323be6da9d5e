/** A runner in a worker. */
import type { BackendName } from "./backend.js";
import { EsrganError, fromPlain } from "./errors.js";
import type { ModelInfo } from "./manifest.js";
import type {
  FromWorker,
  Origin,
  Request,
  Runner,
  RequestHooks,
  RunnerHooks,
  RunnerOptions,
  ToWorker,
} from "./protocol.js";
import type { Portable } from "./sources.js";
import type { EngineName } from "./ways.js";

interface Pending {
  readonly resolve: (message: FromWorker) => void;
  readonly reject: (error: unknown) => void;
  readonly on: (message: FromWorker) => void;
}

export async function remoteRunner(
  worker: Worker,
  origin: Origin,
  options: RunnerOptions,
  hooks: RunnerHooks,
): Promise<Runner> {
  const line = new Line(worker);
  try {
    hooks.signal?.throwIfAborted();
    const loaded = await line.ask({ kind: "load", origin, options }, [], hooks.signal, (message) => {
      if (message.kind === "loading") hooks.onProgress?.(message.progress);
    });
    if (loaded.kind !== "loaded") throw new EsrganError("the worker is not one of tfjs-esrgan");
    return new RemoteRunner(line, loaded.info, loaded.backend, loaded.engine, loaded.reason);
  } catch (error) {
    line.close();
    throw error;
  }
}

class RemoteRunner implements Runner {
  constructor(
    private readonly line: Line,
    readonly info: ModelInfo,
    readonly backend: BackendName,
    readonly engine: EngineName,
    readonly reason: string,
  ) {}

  async upscale(portable: Portable, request: Request, { signal, onTile, onProgress }: RequestHooks) {
    const transfer = "data" in portable ? [portable.data.buffer] : [portable];
    const message = await this.line.ask({ kind: "upscale", portable, request }, transfer, signal, (news) => {
      if (news.kind === "tile") onTile?.(news.tile);
      if (news.kind === "progress") onProgress?.(news.share);
    });
    if (message.kind !== "answer") throw new EsrganError("the worker answered something else");
    return message.answer;
  }

  async dispose(): Promise<void> {
    if (this.line.closed) return;
    try {
      await this.line.ask({ kind: "dispose" }, [], undefined, () => undefined);
    } finally {
      this.line.close();
    }
  }
}

type Question = ToWorker extends infer T ? (T extends { id: number } ? Omit<T, "id"> : never) : never;

/** Questions to a worker, each with its own answer. */
class Line {
  closed = false;
  private readonly pending = new Map<number, Pending>();
  private next = 1;

  constructor(private readonly worker: Worker) {
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      const asked = this.pending.get(data.id);
      if (!asked) return;
      if (data.kind === "failed") asked.reject(fromPlain(data.error));
      else if (["loading", "tile", "progress"].includes(data.kind)) asked.on(data);
      else asked.resolve(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.fail(new EsrganError(`the worker failed: ${event.message || "its script cannot be loaded"}`));
    };
  }

  /** Rejects with the signal's reason at once; the worker stops at its next tile. */
  ask(
    question: Question,
    transfer: Transferable[],
    signal: AbortSignal | undefined,
    on: Pending["on"],
  ): Promise<FromWorker> {
    if (this.closed) return Promise.reject(new EsrganError("this upscaler was disposed; load another"));
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    const id = this.next++;
    let abort: () => void = () => undefined;
    return new Promise<FromWorker>((resolve, reject) => {
      abort = () => {
        this.send({ kind: "abort", id }, []);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener("abort", abort);
      this.pending.set(id, { resolve, reject, on });
      this.send({ ...question, id }, transfer);
    }).finally(() => {
      signal?.removeEventListener("abort", abort);
      this.pending.delete(id);
    });
  }

  close(): void {
    this.closed = true;
    this.worker.terminate();
    this.fail(new EsrganError("this upscaler was disposed while it worked"));
  }

  private send(message: ToWorker, transfer: Transferable[]): void {
    this.worker.postMessage(message, transfer);
  }

  private fail(error: Error): void {
    for (const { reject } of this.pending.values()) reject(error);
  }
}
