// TF.js in Node on wasm: node run-node.mjs PACKAGES MODEL, with the folder that has node_modules, and the
// folder of model.json.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { compute } from "./compute.mjs";
import { readModel, readNumbers, say, serve, words, writeNumbers } from "./worker.mjs";

const [packages, folder] = process.argv.slice(2);

async function open() {
  const require = createRequire(join(packages, "package.json"));
  const tf = require("@tensorflow/tfjs-core");
  const { loadGraphModel } = require("@tensorflow/tfjs-converter");
  const wasm = require("@tensorflow/tfjs-backend-wasm");
  // one thread: TF.js's worker threads do not start in Node
  wasm.setWasmPaths(dirname(require.resolve("@tensorflow/tfjs-backend-wasm")) + "/");
  if (!(await tf.setBackend("wasm"))) throw new Error("the wasm backend does not start");
  await tf.ready();
  const artefacts = await readModel(folder);
  const model = await loadGraphModel(tf.io.fromMemory(artefacts));
  const layout = artefacts.userDefinedMetadata?.esrgan?.layout ?? "NHWC";
  return { tf, model, layout };
}

try {
  const { tf, model, layout } = await open();
  say({ ready: { precision: "float32", tfjs: tf.version_core, node: process.versions.node } });
  await serve(async (request) => {
    const batch = await readNumbers(request.batch);
    const { numbers, shape } = await compute(tf, model, batch, request.shape, request.feed, request.fetch, layout);
    await writeNumbers(request.result, numbers);
    return { shape };
  });
} catch (error) {
  say({ error: `cannot load ${folder}: ${words(error)}` });
}
