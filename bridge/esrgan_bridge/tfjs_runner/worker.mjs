// What the two runners share: lines of JSON in and out (see runners/worker.py), and the model's files.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

// stdout is for answers: what libraries print goes to stderr
console.log = console.info = console.debug = console.error;

export function say(record) {
  process.stdout.write(JSON.stringify(record) + "\n");
}

/** What an error says, without the page's stack. */
export const words = (error) => String(error?.message ?? error).split("\n")[0].replace(/^page\.evaluate: (Error: )?/, "");

/** A file of raw float32 numbers. */
export async function readNumbers(path) {
  const bytes = await readFile(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

export const writeNumbers = (path, numbers) =>
  writeFile(path, new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));

/** Answer each request of stdin until it ends; `compute` gives what is told, with the shape that it has written. */
export async function serve(compute) {
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      say(await compute(JSON.parse(line)));
    } catch (error) {
      say({ error: words(error) });
    }
  }
}

/** model.json and its shards, as TF.js wants them. */
export async function readModel(folder) {
  const document = JSON.parse(await readFile(join(folder, "model.json"), "utf8"));
  const specs = [];
  const shards = [];
  for (const group of document.weightsManifest) {
    specs.push(...group.weights);
    for (const path of group.paths) shards.push(await readFile(join(folder, path)));
  }
  const weights = new Uint8Array(shards.reduce((sum, shard) => sum + shard.length, 0));
  let offset = 0;
  for (const shard of shards) {
    weights.set(shard, offset);
    offset += shard.length;
  }
  return {
    modelTopology: document.modelTopology,
    format: document.format,
    generatedBy: document.generatedBy,
    convertedBy: document.convertedBy,
    signature: document.signature,
    userDefinedMetadata: document.userDefinedMetadata,
    weightSpecs: specs,
    weightData: weights.buffer,
  };
}
