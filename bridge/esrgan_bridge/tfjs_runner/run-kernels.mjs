// The kernels of tfjs-esrgan in Node: node run-kernels.mjs KERNELS MODEL, with their file and the folder of model.json.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { computeByKernels, isOfAnotherForm } from "./compute-kernels.mjs";
import { readNumbers, say, serve, words, writeNumbers } from "./worker.mjs";

const [file, folder] = process.argv.slice(2);

try {
  const { open } = await import(pathToFileURL(file).href);
  const kernels = await open(async (name) => new Uint8Array(await readFile(join(folder, name))));
  say({ ready: { precision: "float32", device: kernels.facts, node: process.versions.node } });
  await serve(async (request) => {
    const batch = await readNumbers(request.batch);
    const { numbers, shape } = await computeByKernels(kernels, batch, request.shape, request.feed, request.fetch);
    await writeNumbers(request.result, numbers);
    return { shape };
  });
  kernels.dispose();
} catch (error) {
  if (isOfAnotherForm(error)) say({ missing: `the kernels do not compute this graph: ${words(error)}` });
  else say({ error: `cannot load ${folder}: ${words(error)}` });
}
