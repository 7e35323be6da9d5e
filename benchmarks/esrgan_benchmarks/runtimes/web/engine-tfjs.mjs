// TF.js on one of its backends.

import { compute } from "/bridge/compute.mjs";
import { addScript } from "/page.mjs";

const SCRIPTS = ["core/dist/tf-core", "converter/dist/tf-converter", "backend-cpu/dist/tf-backend-cpu",
  "backend-wasm/dist/tf-backend-wasm", "backend-webgl/dist/tf-backend-webgl", "backend-webgpu/dist/tf-backend-webgpu"];
let model;

export async function start(backend, threads) {
  for (const script of SCRIPTS) await addScript(`/tfjs/@tensorflow/tfjs-${script}.min.js`);
  tf.wasm.setWasmPaths("/tfjs/@tensorflow/tfjs-backend-wasm/dist/");
  if (backend === "wasm") {
    tf.wasm.setThreadsCount(threads);
    if (threads === 1) tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  }
  if (!(await tf.setBackend(backend))) throw new Error("TF.js says no");
  await tf.ready();
  // a backend that starts may still fail at its first operation
  const [probe] = await tf.tidy(() => tf.add(tf.scalar(1), tf.scalar(1))).data();
  if (probe !== 2) throw new Error(`1 + 1 gives ${probe}`);
  return { tfjs: tf.version_core, ...(await device(backend)) };
}

async function device(backend) {
  if (backend === "webgl") {
    const gl = tf.backend().getGPGPUContext().gl;
    const info = gl.getExtension("WEBGL_debug_renderer_info");
    return { device: String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER)) };
  }
  if (backend === "webgpu") {
    const info = (await navigator.gpu.requestAdapter())?.info ?? {};
    return { device: [info.vendor, info.architecture, info.description].filter(Boolean).join(" ") || "unnamed" };
  }
  const threaded = tf.env().getBool("WASM_HAS_MULTITHREAD_SUPPORT");
  return { threads: String(threaded ? tf.wasm.getThreadsCount() : 1) };
}

export async function load() {
  model = await tf.loadGraphModel("/artefacts/tfjs/model.json");
}

export const prepare = (numbers) => numbers;
export const run = (numbers, shape) => compute(tf, model, numbers, shape, "input", "output", "NHWC");
export const numbers = (answer) => answer.numbers;
