/**
 * The shaders alone, in one file without TF.js (`dist/kernels/shaders.js`): for measurements, which have their own way to
 * pictures.
 */
import type { Bytes, Floats } from "../../models/bytes.js";
import { fetchModel } from "../../models/download.js";
import { computedWhole } from "../network.js";
import { startWebgpu } from "./webgpu.js";

export interface Shaders {
  /** The device, and how it is used. */
  readonly facts: string;
  /** A batch (1, height, width, channels) through the whole network. */
  compute(values: Float32Array, height: number, width: number): Promise<Floats>;
  dispose(): void;
}

/** @param read a file of the model's folder */
export async function open(read: (name: string) => Promise<Bytes>): Promise<Shaders> {
  const model = await fetchModel({ name: "the model", remote: false, read });
  const computer = await startWebgpu(model, { asked: true });
  const { network } = computer;
  return {
    facts: computer.about().join("; "),
    compute: (values, height, width) => computedWhole(network, values, height, width),
    dispose: () => network.dispose(),
  };
}
