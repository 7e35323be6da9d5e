/** A model's graph as TF.js computes it. */
import { loadGraphModel, type GraphModel } from "@tensorflow/tfjs-converter";
import type { io } from "@tensorflow/tfjs-core";
import type { Model } from "../models/download.js";

/** On TF.js's current backend; to be disposed of. */
export async function graphModelOf({ manifest, shards }: Model): Promise<GraphModel> {
  const { document } = manifest;
  const groups = document["weightsManifest"] as { weights: io.WeightsManifestEntry[] }[];
  return await loadGraphModel({
    load: () =>
      Promise.resolve({
        modelTopology: document["modelTopology"] as object,
        format: "graph-model",
        signature: document["signature"] as object,
        weightSpecs: groups.flatMap((group) => group.weights),
        weightData: shards,
      }),
  });
}
