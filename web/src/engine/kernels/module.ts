/** The WebAssembly module of the kernels, and its memory. */
import type { Bytes } from "../../models/bytes.js";
import { messageOf } from "../../errors.js";
import { ABI } from "./abi.js";

/** What `web/native/wasm.c` exports. */
export interface Exports {
  readonly __heap_base: WebAssembly.Global<"i32">;
  readonly __stack_pointer: WebAssembly.Global<"i32">;
  abi(): number;
  lanes(): number;
  open(program: number, threads: number): number;
  close(engine: number): void;
  plan(engine: number, height: number, width: number): number;
  plan_rows(engine: number, height: number, width: number, band: number, rows: number): number;
  start(engine: number, memory: number, given: number): void;
  start_rows(
    engine: number,
    memory: number,
    given: number,
    givenRows: number,
    room: number,
    reached: number,
  ): void;
  stop(engine: number): void;
  advance(engine: number, until: number): number;
  help(worker: number): void;
  shuffle(
    source: number,
    pixel: number,
    target: number,
    channels: number,
    scale: number,
    height: number,
    width: number,
  ): void;
}

export interface Loaded {
  readonly exports: Exports;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Whether other threads may share the memory. */
  readonly shared: boolean;
  /** Whether sums and products are fused. */
  readonly relaxed: boolean;
}

const PAGE = 65536;
const SHARED = 2; // the bit of an imported memory's flags
const FIRST_PAGES = 64;

/**
 * @param threads whether other threads are to share the memory, where that is allowed here
 * @throws Error there is no WebAssembly with SIMD here
 */
export async function loadModule(threads: boolean): Promise<Loaded> {
  if (typeof WebAssembly === "undefined") throw new Error("WebAssembly is not available here");
  const relaxed = bytesOf((await import("./relaxed.js")).default);
  const isRelaxed = WebAssembly.validate(relaxed.bytes);
  const { bytes, flags, pages } = isRelaxed ? relaxed : bytesOf((await import("./simd.js")).default);
  if (!isRelaxed && !WebAssembly.validate(bytes))
    throw new Error("WebAssembly has no SIMD instructions here");
  const shared = threads && typeof SharedArrayBuffer !== "undefined" && isIsolated();
  // the same code serves both: a memory that is not shared has only to be declared so
  if (!shared) bytes[flags]! &= ~SHARED;
  const memory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: pages, shared });
  const module = await compiled(bytes);
  const instance = await WebAssembly.instantiate(module, {
    env: { memory, now: () => performance.now(), rest: restHere() },
  });
  const exports = instance.exports as unknown as Exports;
  if (exports.abi() !== ABI)
    throw new Error("the WebAssembly module is from another release of this library");
  return { exports, module, memory, shared, relaxed: isRelaxed };
}

/** @throws Error a policy forbids it; a browser says so only here */
async function compiled(bytes: Bytes): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    const isForbidden = /content security policy|blocked by csp|unsafe-eval/i.test(messageOf(error));
    if (!isForbidden) throw error;
    throw new Error(
      "the Content-Security-Policy forbids WebAssembly; script-src must allow 'wasm-unsafe-eval'",
    );
  }
}

/** Node's threads share memory as they like; a page's must be isolated. */
function isIsolated(): boolean {
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  return crossOriginIsolated ?? typeof window === "undefined";
}

/** A short sleep, where this thread may: a page's own may not. */
function restHere(): () => void {
  try {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    Atomics.wait(cell, 0, 0, 0);
    return () => void Atomics.wait(cell, 0, 0, 0.05);
  } catch {
    return () => undefined;
  }
}

/** The bytes, where the flags of the imported memory lie, and the most pages that it may have. */
function bytesOf(text: string): { bytes: Bytes; flags: number; pages: number } {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  const skipName = () => {
    const length = number();
    at += length;
  };
  const IMPORTS = 2;
  const MEMORY = 2;
  for (;;) {
    const section = bytes[at++]!;
    const end = number() + at;
    if (section === IMPORTS) break;
    at = end;
  }
  for (let left = number(); left > 0; left--) {
    skipName();
    skipName();
    const kind = bytes[at++]!;
    if (kind !== MEMORY) {
      number(); // the type of a function
      continue;
    }
    const flags = at++;
    number();
    return { bytes, flags, pages: number() };
  }
  throw new Error("the module imports no memory");
}

/** Places in the module's memory, one after the other; what was taken since a mark is given back together. */
export class Heap {
  private top: number;

  constructor(
    private readonly memory: WebAssembly.Memory,
    base: number,
  ) {
    this.top = aligned(base);
  }

  /** @throws Error memory is short */
  take(bytes: number): number {
    const place = this.top;
    const end = aligned(place + bytes);
    const missing = Math.ceil((end - this.memory.buffer.byteLength) / PAGE);
    if (missing > 0) {
      try {
        this.memory.grow(missing);
      } catch {
        throw new Error(`out of memory: WebAssembly cannot allocate ${Math.ceil(end / 2 ** 20)} MiB`);
      }
    }
    this.top = end;
    return place;
  }

  mark(): number {
    return this.top;
  }

  release(mark: number): void {
    this.top = mark;
  }

  /** Views end with the next `take`. */
  floats(place: number, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, place, count);
  }

  integers(place: number, count: number): Int32Array {
    return new Int32Array(this.memory.buffer, place, count);
  }
}

const LINE = 64;

function aligned(place: number): number {
  return Math.ceil(place / LINE) * LINE;
}
