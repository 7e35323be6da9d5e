// TF.js in Node on wasm, one thread: node node.mjs BRIDGE PACKAGES MODEL, with the bridge's scripts, the folder
// that has node_modules, and the folder of model.json.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const [bridge, packages, folder] = process.argv.slice(2);
const theirs = (name) => import(pathToFileURL(join(bridge, name)).href);
const worker = await theirs("worker.mjs");
const { compute } = await theirs("compute.mjs");

try {
  const require = createRequire(join(packages, "package.json"));
  const tf = require("@tensorflow/tfjs-core");
  const { loadGraphModel } = require("@tensorflow/tfjs-converter");
  const wasm = require("@tensorflow/tfjs-backend-wasm");
  wasm.setWasmPaths(dirname(require.resolve("@tensorflow/tfjs-backend-wasm")) + "/");
  if (!(await tf.setBackend("wasm"))) throw new Error("the wasm backend does not start");
  await tf.ready();
  const model = await loadGraphModel(tf.io.fromMemory(await worker.readModel(folder)));
  worker.say({ ready: { tfjs: tf.version_core, node: process.versions.node, threads: "1" } });
  await worker.serve(async ({ batch, shape, result }) => {
    const given = await worker.readNumbers(batch);
    const started = performance.now();
    const answer = await compute(tf, model, given, shape, "input", "output", "NHWC");
    const seconds = (performance.now() - started) / 1000;
    await worker.writeNumbers(result, answer.numbers);
    return { shape: answer.shape, seconds };
  });
} catch (error) {
  worker.say({ error: `cannot load ${folder}: ${worker.words(error)}` });
}
