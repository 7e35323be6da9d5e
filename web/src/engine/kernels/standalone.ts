/**
 * The kernels alone, in one file without TF.js (`dist/kernels/kernels.js`): for the parity check of the Python project
 * and for measurements, which have their own way to pictures.
 */
import type { Bytes, Floats } from "../../models/bytes.js";
import { fetchModel } from "../../models/download.js";
import type { Place } from "../../models/places.js";
import { computedWhole } from "../network.js";
import { KernelsNetwork } from "./network.js";
import { pageSpawner, useSpawner } from "./threads.js";

export interface Kernels {
  /** SIMD, and how many threads. */
  readonly facts: string;
  /** A batch (1, height, width, channels) through the whole network. */
  compute(values: Float32Array, height: number, width: number): Promise<Floats>;
  dispose(): void;
}

/**
 * @param read a file of the model's folder
 * @param threads how many compute; undefined: as many as suit the machine
 */
export async function open(read: (name: string) => Promise<Bytes>, threads?: number): Promise<Kernels> {
  const here = typeof process === "undefined" ? pageSpawner : await (await import("./node.js")).nodeSpawner();
  useSpawner({ ...here, threads: threads ?? here.threads });
  const place: Place = { name: "the model", remote: false, read };
  const network = await KernelsNetwork.load(await fetchModel(place));
  return {
    facts: `${network.relaxed ? "relaxed SIMD" : "SIMD"}, threads: ${network.threads}`,
    compute: (values, height, width) => computedWhole(network, values, height, width),
    dispose: () => network.dispose(),
  };
}
