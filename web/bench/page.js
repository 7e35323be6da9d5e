/**
 * What is measured in the page: tfjs-esrgan, UpscalerJS and plain TF.js on the same model and picture, each in a
 * tab of its own. In the page's thread both libraries share one TF.js.
 */
import * as tf from "@tensorflow/tfjs";
import { getThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { Upscaler } from "tfjs-esrgan";
import { Upscaler as InlineUpscaler } from "tfjs-esrgan/inline";
import "tfjs-esrgan/wasm";
import "tfjs-esrgan/webgl";
import PeerUpscaler from "upscaler";

const wasmPaths = new URL("wasm/", location.href).href;
let engine;

/** Prepare one way: { library: "ours" | "upscalerjs" | "graph", worker, patchSize, padding }. */
async function start(way, { model, scale, backend, picture, size }) {
  if (way.library === "ours") {
    const Kind = way.worker ? Upscaler : InlineUpscaler;
    const upscaler = await Kind.load(model, { backend, wasmPaths, cache: false });
    engine = {
      reason: upscaler.reason,
      async run({ signal, onTile } = {}) {
        const { image, plan } = await upscaler.upscale(imageOf(picture), { output: "raw", signal, onTile });
        engine.plan = plan;
        return image.data;
      },
    };
    return { reason: upscaler.reason };
  }
  await useBackend(backend);
  if (way.library === "upscalerjs") {
    const path = new URL(model, location.href).href;
    const upscaler = new PeerUpscaler({
      model: { path, scale, modelType: "graph", inputRange: [0, 1], outputRange: [0, 1] },
    });
    await upscaler.ready;
    const { patchSize, padding, awaitNextFrame } = way;
    engine = {
      async run({ signal, onTile } = {}) {
        const options = { output: "tensor", signal, awaitNextFrame };
        const progress = onTile && (() => onTile());
        const tiles = patchSize ? { patchSize, padding, progress } : {};
        const result = await upscaler.upscale(imageOf(picture), { ...options, ...tiles });
        return await bytesOf(result, 1);
      },
    };
  } else {
    const graph = await tf.loadGraphModel(new URL(model, location.href).href);
    const { height, width } = picture ?? { height: size, width: size };
    const values = picture ? rgbOf(imageOf(picture).data) : pattern(size);
    const first = way.layout === "NCHW" ? [1, 3, height, width] : [1, height, width, 3];
    engine = {
      nodes: graph.artifacts.modelTopology.node.length,
      async run() {
        const given = tf.tensor4d(values, first);
        const result = graph.predict(given);
        given.dispose();
        if (way.layout === "NCHW") {
          await result.data();
          result.dispose();
          return undefined;
        }
        return await bytesOf(result.squeeze([0]), 255, result);
      },
    };
  }
  return {
    reason: `threads: ${backend === "wasm" ? getThreadsCount() : "none"}`,
    nodes: engine.nodes,
  };
}

async function useBackend(backend) {
  if (backend === "wasm") setWasmPaths(wasmPaths);
  if (!(await tf.setBackend(backend))) throw new Error(`${backend} does not start`);
  await tf.ready();
}

/** One run: seconds, tensors that it left behind in this thread, and where asked its pixels. */
async function run(wanted) {
  const before = tf.engine().state.numTensors;
  const started = performance.now();
  const data = await engine.run();
  const seconds = (performance.now() - started) / 1000;
  return {
    seconds,
    tensors: tf.engine().state.numTensors - before,
    plan: engine.plan,
    ...(wanted === "pixels" && data ? { pixels: textOf(data) } : {}),
  };
}

/** Abort `delay` seconds after the start: how long after that the call ends, and what it leaves behind. */
async function abortAfter(delay) {
  const before = tf.engine().state.numTensors;
  const abort = new AbortController();
  const due = performance.now() + 1000 * delay;
  setTimeout(() => abort.abort(), 1000 * delay);
  const ended = await engine.run({ signal: abort.signal }).then(
    () => "finished",
    (error) => error.name,
  );
  const latency = (performance.now() - due) / 1000;
  return { latency, ended, tensors: tf.engine().state.numTensors - before };
}

/** Seconds between two finished tiles. */
async function tileTimes() {
  const times = [performance.now()];
  await engine.run({ onTile: () => times.push(performance.now()) });
  return times.slice(1).map((time, index) => (time - times[index]) / 1000);
}

function imageOf({ width, height, data }) {
  const bytes = Uint8ClampedArray.from(atob(data), (letter) => letter.charCodeAt(0));
  return new ImageData(bytes, width, height);
}

function rgbOf(rgba) {
  const values = new Float32Array((rgba.length / 4) * 3);
  for (let i = 0; i < rgba.length / 4; i++)
    for (let c = 0; c < 3; c++) values[3 * i + c] = rgba[4 * i + c] / 255;
  return values;
}

function pattern(size) {
  return Float32Array.from({ length: 3 * size * size }, (_, index) => ((index * 73) % 101) / 100);
}

/** A tensor (height, width, 3) as RGBA bytes; it is disposed, and so is what it came from. */
async function bytesOf(tensor, factor, ...others) {
  const values = await tensor.data();
  for (const one of [tensor, ...others]) one.dispose();
  const bytes = new Uint8ClampedArray((values.length / 3) * 4).fill(255);
  for (let i = 0; i < values.length / 3; i++)
    for (let c = 0; c < 3; c++) bytes[4 * i + c] = values[3 * i + c] * factor;
  return bytes;
}

function textOf(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

globalThis.bench = { start, run, abortAfter, tileTimes };
