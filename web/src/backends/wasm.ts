import * as wasmBackend from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import type { Backend } from "../backend.js";

/**
 * WebAssembly with SIMD, and with threads where the page is cross-origin isolated
 * (`Cross-Origin-Opener-Policy: same-origin`, `Cross-Origin-Embedder-Policy: require-corp`).
 */
export const wasm: Backend = {
  name: "wasm",
  tfName: "wasm",
  budget: 1.25 * 2 ** 30, // its heap ends at 2 GiB
  im2col: false,
  deferred: false,
  keepsAddresses: true,
  async prepare({ wasmPaths }) {
    if (typeof WebAssembly === "undefined") throw new Error("there is no WebAssembly here");
    if (wasmPaths !== undefined) wasmBackend.setWasmPaths(wasmPaths);
    const started = await withSoundThreads(() => withAllCores(() => tf.setBackend("wasm")));
    if (!started)
      throw new Error(`its files are not at ${wasmPaths ?? "their place"}; give their folder as wasmPaths`);
  },
  isLost: () => false,
  about() {
    const count = wasmBackend.getThreadsCount();
    return count > 1 ? `${count} threads` : "1 thread";
  },
};

const FEW_CORES = 4;

/**
 * TF.js takes half of the cores that the browser tells of, which on a small machine leaves half of the work's
 * speed; so it is told of more of them while it starts.
 */
async function withAllCores<T>(work: () => Promise<T>): Promise<T> {
  if (!(globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated) return await work();
  const cores = navigator.hardwareConcurrency;
  const threads = Math.min(cores, Math.max(FEW_CORES, Math.floor(cores / 2)));
  Object.defineProperty(navigator, "hardwareConcurrency", { value: 2 * threads, configurable: true });
  try {
    return await work();
  } finally {
    // what the browser says is on the prototype
    Reflect.deleteProperty(navigator, "hardwareConcurrency");
  }
}

/**
 * TF.js starts its threads from the text of a function that names a variable outside of it, with a check that
 * minifiers drop; the threads then fail, and TF.js waits for them for ever. So that text is given the variable.
 */
async function withSoundThreads<T>(work: () => Promise<T>): Promise<T> {
  const Original = globalThis.Blob;
  globalThis.Blob = class extends Original {
    constructor(parts: BlobPart[] = [], options?: BlobPropertyBag) {
      super(parts.map(repaired), options);
    }
  };
  try {
    return await work();
  } finally {
    globalThis.Blob = Original;
  }
}

function repaired(part: BlobPart): BlobPart {
  if (typeof part !== "string" || !part.startsWith("var WasmBackendModuleThreadedSimd")) return part;
  const variable = /mainScriptUrlOrBlob\W{0,3}\|\|\s*([\w$]+)/.exec(part)?.[1];
  return variable ? `var ${variable};${part}` : part;
}
