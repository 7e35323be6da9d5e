// The page's side: start a backend, load the model, compute batches. `tf` comes from the scripts of page.html.

import { computeByKernels, isOfAnotherForm } from "./compute-kernels.mjs";
import { compute } from "./compute.mjs";

let model;
let layout;
let kernels; // instead of a model of TF.js
let failure; // of the kernels, other than that they do not know the graph

/** {facts} where the backend runs, {missing} with the reason where it does not. */
window.start = async (name) => {
  try {
    if (name === "kernels") return await startKernels();
    tf.wasm.setWasmPaths("/npm/@tensorflow/tfjs-backend-wasm/dist/");
    tf.env().set("WEBGL_FORCE_F16_TEXTURES", false);
    if (!(await tf.setBackend(name))) return { missing: "TF.js says no" };
    await tf.ready();
    // a backend that starts may still fail at its first operation
    const [probe] = await tf.tidy(() => tf.add(tf.scalar(1), tf.scalar(1))).data();
    if (probe !== 2) return { missing: `1 + 1 gives ${probe}` };
    return { facts: { precision: precision(name), tfjs: tf.version_core, ...(await device(name)) } };
  } catch (error) {
    return { missing: String(error?.message ?? error) };
  }
};

/** What the backend computes in: WebGL keeps its numbers in float16 where a GPU cannot render to float32. */
function precision(name) {
  return name !== "webgl" || tf.env().getBool("WEBGL_RENDER_FLOAT32_ENABLED") ? "float32" : "float16";
}

async function startKernels() {
  const { open } = await import("/kernels/kernels.js");
  try {
    kernels = await open(async (file) => new Uint8Array(await (await fetch(`/model/${file}`)).arrayBuffer()));
  } catch (error) {
    if (isOfAnotherForm(error)) throw error;
    failure = error;
  }
  return { facts: { device: kernels?.facts ?? "", precision: "float32" } };
}

async function device(name) {
  if (name === "webgl") {
    const gl = tf.backend().getGPGPUContext().gl;
    const info = gl.getExtension("WEBGL_debug_renderer_info");
    return { device: String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER)) };
  }
  if (name === "webgpu") {
    const info = (await navigator.gpu.requestAdapter())?.info ?? {};
    return { device: [info.vendor, info.architecture, info.description].filter(Boolean).join(" ") || "unnamed" };
  }
  return { device: tf.env().getBool("WASM_HAS_SIMD_SUPPORT") ? "SIMD" : "no SIMD" };
}

window.load = async () => {
  if (failure) throw failure;
  if (kernels) return;
  model = await tf.loadGraphModel("/model/model.json");
  layout = (await (await fetch("/model/model.json")).json()).userDefinedMetadata?.esrgan?.layout ?? "NHWC";
};

window.run = async ({ batch, shape, feed, fetch: wanted, result }) => {
  const given = new Float32Array(await (await fetch(batch)).arrayBuffer());
  const answer = kernels
    ? await computeByKernels(kernels, given, shape, feed, wanted)
    : await compute(tf, model, given, shape, feed, wanted, layout);
  await fetch(result, { method: "POST", body: answer.numbers });
  return { shape: answer.shape };
};
