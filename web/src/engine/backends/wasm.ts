import * as wasmBackend from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import type { Backend } from "../backend.js";
import { messageOf } from "../../errors.js";
import { inTime } from "../../threads/limit.js";
import { blocked } from "../../threads/policy.js";

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
    if (typeof WebAssembly === "undefined") throw new Error("WebAssembly is not available here");
    const place = typeof wasmPaths === "string" || wasmPaths === undefined ? wasmPaths : { ...wasmPaths };
    if (place !== undefined) {
      await checkFile(place);
      wasmBackend.setWasmPaths(place);
    }
    const start = () =>
      withSoundThreads(() => withAllCores(() => inTime(tf.setBackend("wasm"), undefined, SOON)));
    let started: boolean;
    try {
      started = await start();
    } catch (error) {
      if (!(await tf.env().getAsync("WASM_HAS_MULTITHREAD_SUPPORT"))) throw error;
      // its threads may be what hangs
      tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
      const factory = tf.findBackendFactory("wasm") as () => tf.KernelBackend;
      tf.removeBackend("wasm");
      tf.registerBackend("wasm", factory);
      started = await start();
    }
    if (!started) throw new Error(`TensorFlow.js cannot start it; the console says why${blocked()}`);
  },
  isLost: () => false,
  about() {
    const count = wasmBackend.getThreadsCount();
    return count > 1 ? `${count} threads` : "1 thread";
  },
};

/**
 * Look for the file before TF.js does: once TF.js has tried a wrong place, it accepts no other.
 *
 * @throws Error nothing is there, or something else
 */
async function checkFile(place: string | Record<string, string>): Promise<void> {
  const [simd, threads] = [
    await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT"),
    await tf.env().getAsync("WASM_HAS_MULTITHREAD_SUPPORT"),
  ];
  const name = `tfjs-backend-wasm${simd ? (threads ? "-threaded-simd" : "-simd") : ""}.wasm`;
  const address = typeof place === "string" ? place + name : place[name];
  if (address === undefined) throw new Error(`wasmPaths contains no address for ${name}; add it`);
  if (!/^(https?|blob|data):/.test(address)) return; // Node's, where TF.js reads files
  const advice = "copy the package's folder dist/page/wasm to the site, and set wasmPaths to its address";
  let bytes: Uint8Array;
  try {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    bytes = new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw new Error(`${address} cannot be fetched (${messageOf(error)}${blocked()}); ${advice}`);
  }
  if (String(bytes.subarray(0, 4)) !== MAGIC)
    throw new Error(`${address} is not a WebAssembly file; ${advice}`);
}

const SOON = 2000; // ms after a policy forbade something: threads that were to come then never do
const MAGIC = "0,97,115,109"; // \0asm
const FEW_CORES = 4;

/**
 * TF.js uses half of the cores that the browser reports, which halves the speed on a small machine; so a larger
 * number is reported while it starts.
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
