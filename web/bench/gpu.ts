/**
 * One engine on this machine's GPU, by Dawn in Node: `node gpu.cjs JOB.json`, called by `esrgan_benchmarks.studies.gpu.webgpu`.
 *
 * A job names an engine, the folder of what a bundle holds, the file to which rows are added as they come, networks, sides of
 * pictures, how often a picture is computed again after the first time, and the seconds that all may take.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Tensor4D } from "@tensorflow/tfjs-core";
import { Machine, useProvider } from "../src/engine/webgpu/device.js";
import { planOf, WebgpuNetwork } from "../src/engine/webgpu/network.js";
import type { Program } from "../src/engine/webgpu/program.js";
import { workOf } from "../src/engine/webgpu/shapes.js";
import type { Precision } from "../src/engine/webgpu/spec.js";
import { chooseShape } from "../src/engine/webgpu/tune.js";
import { messageOf } from "../src/errors.js";
import { fetchModel } from "../src/models/download.js";
import { makePlan } from "../src/tiling/plan.js";
import { measuredPeak } from "./gpu-peak.js";

type EngineName = "peak" | "tfjs-esrgan float16" | "tfjs-esrgan float32" | "TF.js" | "onnxruntime-web";

interface Job {
  readonly engine: EngineName;
  readonly folder: string;
  readonly rows: string;
  readonly networks: readonly string[];
  readonly sides: readonly number[];
  readonly rounds: number;
  readonly seconds: number;
}

/** A network, ready to compute; rows tell `facts`. */
interface Loaded {
  readonly facts: Record<string, unknown>;
  /** What `run` takes of RGB values (side, side, 3) in 0-1; not timed. */
  prepare(values: Float32Array, side: number): unknown;
  /** From values in memory to values in memory. */
  run(given: unknown, side: number): Promise<unknown>;
  /** (side * scale, side * scale, 3); not timed. */
  values(result: unknown): Float32Array;
  /** Seconds of the device alone, for the trunk. */
  trunk?(given: unknown, side: number): Promise<number>;
  dispose(): void;
}

const ENOUGH = 3; // seconds of rounds
const LEFT_OUT = "no time was left";
const NO_ADAPTER = 3; // exit status: no engine has anything to compute on

const job = JSON.parse(readFileSync(process.argv[2]!, "utf8")) as Job;
const started = performance.now();
const say = (row: Record<string, unknown>) => {
  appendFileSync(job.rows, `${JSON.stringify({ engine: job.engine, ...row })}\n`);
};
const none = () => Promise.resolve();

function openGpu(): GPU {
  const require = createRequire(join(job.folder, "package.json"));
  const dawn = require("./dawn.node") as { create: (flags: string[]) => GPU; globals: object };
  Object.assign(globalThis, dawn.globals);
  // onnxruntime-web writes from memory that threads share, which Dawn in Node refuses
  const queue = GPUQueue.prototype as { writeBuffer: (this: GPUQueue, ...given: unknown[]) => undefined };
  const { writeBuffer } = queue;
  queue.writeBuffer = function (...given: unknown[]): undefined {
    const data = given[2];
    if (data instanceof Uint8Array && data.buffer instanceof SharedArrayBuffer) given[2] = data.slice();
    writeBuffer.apply(this, given);
  };
  const gpu = dawn.create([]);
  // TF.js and onnxruntime-web ask where a page would
  const navigator = Object.assign({}, globalThis.navigator, { gpu, userAgent: "node" });
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  return gpu;
}

async function modelOf(network: string) {
  const folder = join(job.folder, "models", network, "tfjs");
  const read = (file: string) => Promise.resolve(new Uint8Array(readFileSync(join(folder, file))));
  return await fetchModel({ name: network, remote: false, read });
}

async function ours(network: string, precision: Precision): Promise<Loaded> {
  const model = await modelOf(network);
  const machine = await Machine.open();
  if (precision === "float16" && !machine.hasHalf) throw new Error("this device has no shader-f16");
  const plan = planOf(model, precision);
  const programs = [plan.trunk, ...(plan.tail ? [plan.tail] : [])];
  const began = performance.now();
  const { shape, reason } = await chooseShape(machine, programs, precision, undefined);
  const chosen = (performance.now() - began) / 1000;
  const loaded = await WebgpuNetwork.start(machine, plan, shape);
  const { scale } = loaded.info;
  const trunk = async (values: Float32Array, side: number) => await loaded.trunk(values, side, side, none);
  return {
    facts: {
      device: machine.name,
      shape,
      reason,
      choice_seconds: chosen,
      macs: programs.reduce((sum, program) => sum + macsOf(program), 0),
      trunk_macs: macsOf(plan.trunk),
    },
    prepare: (values) => values,
    async run(values, side) {
      const features = await trunk(values as Float32Array, side);
      const result = new Float32Array((side * scale) ** 2 * 3);
      // as the library cuts it
      const { tailSize } = makePlan(loaded.info, side, side, "auto", Infinity, () => 0);
      for (const one of loaded.tailTiles(side, side, tailSize)) {
        const part = await loaded.tail(
          features, one.windowTop, one.windowLeft, one.windowHeight, one.windowWidth,
        ); // prettier-ignore
        const row = 3 * scale * one.windowWidth;
        for (let y = 0; y < scale * one.height; y++) {
          const from =
            (scale * (one.top - one.windowTop) + y) * row + 3 * scale * (one.left - one.windowLeft);
          const to = 3 * ((scale * one.top + y) * scale * side + scale * one.left);
          result.set(part.subarray(from, from + 3 * scale * one.width), to);
        }
      }
      features.dispose();
      return result;
    },
    values: (result) => result as Float32Array,
    async trunk(values, side) {
      const began = performance.now();
      (await trunk(values as Float32Array, side)).dispose();
      return (performance.now() - began) / 1000;
    },
    dispose: () => loaded.dispose(),
  };
}

/** Multiply-adds of a program for each pixel. */
function macsOf({ steps }: Program): number {
  return steps.reduce(
    (sum, { spec, grid }) => sum + (spec.kind === "load" ? 0 : workOf(spec) * grid ** 2),
    0,
  );
}

async function tfjs(network: string): Promise<Loaded> {
  const tf = await import("@tensorflow/tfjs-core");
  const { graphModelOf } = await import("../src/engine/graph-model.js");
  await import("@tensorflow/tfjs-backend-cpu");
  await import("@tensorflow/tfjs-backend-webgpu");
  if (!(await tf.setBackend("webgpu"))) throw new Error("TF.js refuses its backend webgpu");
  await tf.ready();
  const model = await graphModelOf(await modelOf(network));
  return {
    facts: { tfjs: tf.version_core },
    prepare: (values) => values,
    async run(values, side) {
      const given = tf.tensor4d(values as Float32Array, [1, side, side, 3]);
      const result = model.predict(given) as Tensor4D;
      try {
        return await result.data();
      } finally {
        tf.dispose([given, result]);
      }
    },
    values: (result) => result as Float32Array,
    dispose: () => model.dispose(),
  };
}

interface OrtTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

interface Ort {
  readonly env: { wasm: Record<string, unknown>; versions: Record<string, string> };
  readonly Tensor: new (type: string, data: Float32Array, dims: number[]) => OrtTensor;
  readonly InferenceSession: {
    create(
      model: Uint8Array,
      options: object,
    ): Promise<{ run(feeds: object): Promise<{ output: OrtTensor }>; release(): Promise<void> }>;
  };
}

async function onnxruntime(network: string): Promise<Loaded> {
  const place = pathToFileURL(join(job.folder, "ort", "/")).href;
  const ort = (await import(`${place}ort.webgpu.min.mjs`)) as Ort;
  Object.assign(ort.env.wasm, { wasmPaths: place, numThreads: 1 });
  const model = new Uint8Array(readFileSync(join(job.folder, "models", network, "onnx", "model.onnx")));
  const session = await awake(ort.InferenceSession.create(model, { executionProviders: ["webgpu"] }));
  return {
    facts: { "onnxruntime-web": ort.env.versions["web"] },
    prepare: (values, side) => new ort.Tensor("float32", planes(values, side * side), [1, 3, side, side]),
    run: async (input) => (await awake(session.run({ input }))).output,
    values(result) {
      const { data } = result as OrtTensor;
      const count = data.length / 3;
      return Float32Array.from(data, (_, at) => data[(at % 3) * count + Math.floor(at / 3)]!);
    },
    dispose: () => void session.release(),
  };
}

/** Keep Node's loop turning: Dawn's answers to onnxruntime-web's waits come in its turns, and it would sleep for ever. */
async function awake<T>(work: Promise<T>): Promise<T> {
  let waiting = true;
  const turn = () => {
    if (waiting) setImmediate(turn);
  };
  turn();
  try {
    return await work;
  } finally {
    waiting = false;
  }
}

function planes(values: Float32Array, count: number): Float32Array {
  return values.map((_, at) => values[(at % count) * 3 + Math.floor(at / count)]!);
}

const loaders: Record<Exclude<EngineName, "peak">, (network: string) => Promise<Loaded>> = {
  "tfjs-esrgan float16": (network) => ours(network, "float16"),
  "tfjs-esrgan float32": (network) => ours(network, "float32"),
  "TF.js": tfjs,
  "onnxruntime-web": onnxruntime,
};

/** The farthest of a result from that of the first engine that computed it. */
function difference(network: string, side: number, values: Float32Array): number | undefined {
  const file = join(job.folder, `${network}-${side}.f32`);
  if (!existsSync(file)) {
    writeFileSync(file, values);
    return undefined;
  }
  const others = new Float32Array(Uint8Array.from(readFileSync(file)).buffer);
  return values.reduce((most, value, at) => Math.max(most, Math.abs(value - others[at]!)), 0);
}

async function measure(loaded: Loaded, network: string, side: number, isFirst: boolean): Promise<void> {
  const given = loaded.prepare(
    Float32Array.from({ length: 3 * side * side }, (_, index) => ((index * 73) % 101) / 100),
    side,
  );
  const began = performance.now();
  const since = (from: number) => (performance.now() - from) / 1000;
  const result = loaded.values(await loaded.run(given, side));
  const first = since(began);
  const seconds: number[] = [];
  const trunks: number[] = [];
  const start = performance.now();
  while (seconds.length < job.rounds && since(start) < ENOUGH && since(started) < job.seconds) {
    const from = performance.now();
    await loaded.run(given, side);
    seconds.push(since(from));
    if (loaded.trunk) trunks.push(await loaded.trunk(given, side));
  }
  say({
    case: "time",
    network,
    side,
    first,
    seconds,
    trunk_seconds: loaded.trunk && trunks,
    difference: isFirst ? difference(network, side, result) : undefined,
    ...loaded.facts,
  });
}

async function main(): Promise<void> {
  const gpu = openGpu();
  useProvider(() => Promise.resolve(gpu));
  if (!(await gpu.requestAdapter())) {
    say({ case: "failure", error: "WebGPU offers no adapter: Dawn says why above" });
    process.exit(NO_ADAPTER);
  }
  if (job.engine === "peak") {
    for (const type of ["f32", "f16"] as const)
      say({ case: "peak", type, ...(await measuredPeak(gpu, type)) });
    return;
  }
  for (const network of job.networks) {
    const share = (job.networks.indexOf(network) + 1) / job.networks.length;
    let loaded: Loaded | undefined;
    try {
      loaded = await loaders[job.engine](network);
      for (const [number, side] of job.sides.entries()) {
        if (performance.now() - started > 1000 * job.seconds * share)
          throw new Error(`${LEFT_OUT} at ${side}`);
        await measure(loaded, network, side, number === 0);
      }
    } catch (error) {
      say({ case: "failure", network, error: messageOf(error) });
    } finally {
      loaded?.dispose();
    }
  }
}

main().then(
  // Dawn keeps a process alive, and an exit waits until V8 has optimised all of onnxruntime-web's WebAssembly
  () => process.kill(process.pid, "SIGTERM"),
  (error: unknown) => {
    say({ case: "failure", error: messageOf(error) });
    process.exit(1);
  },
);
