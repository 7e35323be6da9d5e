/** A runner in a worker. */
import type { BackendName } from "../engine/backend.js";
import { BackendError, EsrganError, fromPlain, messageOf } from "../errors.js";
import type { ModelInfo } from "../models/manifest.js";
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
import { blocked } from "./policy.js";
import type { Portable } from "../images/sources.js";
import type { EngineName } from "../engine/ways.js";

/** No worker started; the message says why, and ends without a full stop. */
export class WorkerMissing extends BackendError {}

const PATIENCE = 60_000; // ms for a worker to say its first word: its script may come over a slow line

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
    const loaded = await line.first({ kind: "load", origin, options }, hooks.signal, (message) => {
      if (message.kind === "loading") hooks.onProgress?.(message.progress);
    });
    if (loaded.kind !== "loaded")
      throw new EsrganError("the worker is not one of tfjs-esrgan; its script must call serve()");
    return new RemoteRunner(line, loaded.info, loaded.backend, loaded.engine, loaded.reason);
  } catch (error) {
    line.close();
    throw error;
  }
}

class RemoteRunner implements Runner {
  private ending: Promise<void> | undefined;

  constructor(
    private readonly line: Line,
    readonly info: ModelInfo,
    public backend: BackendName,
    public engine: EngineName,
    public reason: string,
  ) {}

  async upscale(portable: Portable, request: Request, { signal, onTile, onProgress }: RequestHooks) {
    const transfer = "data" in portable ? [portable.data.buffer] : [portable.bitmap];
    const message = await this.line.ask({ kind: "upscale", portable, request }, transfer, signal, (news) => {
      if (news.kind === "tile") onTile?.(news.tile);
      if (news.kind === "progress") onProgress?.(news.share);
    });
    if (message.kind !== "answer")
      throw new EsrganError("the worker sent an unexpected answer; it must be of the same release");
    // another may have taken over
    ({ backend: this.backend, engine: this.engine, reason: this.reason } = message.answer);
    return message.answer;
  }

  /** After the pictures under way; several calls are one. */
  dispose(): Promise<void> {
    this.ending ??= this.end();
    return this.ending;
  }

  private async end(): Promise<void> {
    try {
      await this.line.ask({ kind: "dispose" }, [], undefined, () => undefined);
    } catch {
      // a worker that failed is ended all the same
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
  private heard: () => void = () => undefined;
  private isHeard = false;

  constructor(private readonly worker: Worker) {
    // only one upscaler may speak with a worker, so these are its own
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      this.isHeard = true;
      this.heard();
      const asked = this.pending.get(data.id);
      if (!asked) {
        // of an aborted call
        if (data.kind === "answer" && "close" in data.answer.content) data.answer.content.close();
        return;
      }
      if (data.kind === "failed") asked.reject(fromPlain(data.error));
      else if (["loading", "tile", "progress"].includes(data.kind)) asked.on(data);
      else asked.resolve(data);
    };
    worker.onmessageerror = () => this.fail(new EsrganError("the browser cannot read the worker's message"));
    worker.onerror = (event) => {
      event.preventDefault();
      // an event without a message: its script was not fetched, not allowed or is no script
      const why = event.message || "its script cannot be loaded";
      const text = `the worker does not start: ${why}${blocked()}`;
      this.fail(this.isHeard ? new EsrganError(`the worker failed: ${why}`) : new WorkerMissing(text));
    };
  }

  /** The first question, to which something must be said in time. */
  async first(question: Question, signal: AbortSignal | undefined, on: Pending["on"]): Promise<FromWorker> {
    const timer = setTimeout(
      () => this.fail(new WorkerMissing(`the worker did not answer within ${PATIENCE / 1000} s${blocked()}`)),
      PATIENCE,
    );
    this.heard = () => clearTimeout(timer);
    try {
      return await this.ask(question, [], signal, on);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Rejects with the signal's reason at once; the worker stops at its next tile. */
  ask(
    question: Question,
    transfer: Transferable[],
    signal: AbortSignal | undefined,
    on: Pending["on"],
  ): Promise<FromWorker> {
    if (this.closed)
      return Promise.reject(
        new EsrganError("this Upscaler was disposed; load a new one with Upscaler.load()"),
      );
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    const id = this.next++;
    let abort: () => void = () => undefined;
    return new Promise<FromWorker>((resolve, reject) => {
      abort = () => {
        this.worker.postMessage({ kind: "abort", id } satisfies ToWorker);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener("abort", abort);
      this.pending.set(id, { resolve, reject, on });
      try {
        this.worker.postMessage({ ...question, id }, transfer);
      } catch (error) {
        reject(new EsrganError(`the request cannot be sent to the worker: ${messageOf(error)}`));
      }
    }).finally(() => {
      signal?.removeEventListener("abort", abort);
      this.pending.delete(id);
    });
  }

  close(): void {
    this.closed = true;
    this.worker.terminate();
    this.fail(new EsrganError("this Upscaler was disposed before the call ended; load a new one"));
  }

  private fail(error: Error): void {
    for (const { reject } of this.pending.values()) reject(error);
  }
}
