/** The kernels on WebAssembly. */
import type { Model } from "../../models/download.js";
import { blocked } from "../../threads/policy.js";
import type { Computer } from "../ways.js";
import { KernelsNetwork } from "./network.js";

export { useSpawner } from "./threads.js";

const BUDGET = 1.25 * 2 ** 30; // as much as TF.js's is granted: pages are on small machines too

export async function startKernels(model: Model): Promise<Computer> {
  const network = await KernelsNetwork.load(model);
  const { threads, relaxed } = network;
  return {
    network,
    budget: BUDGET,
    about: () => [
      `kernels with ${relaxed ? "relaxed SIMD" : "SIMD"}`,
      threads > 1 ? `${threads} threads` : `1 thread${blocked()}`,
    ],
    isLost: () => false,
    select: () => Promise.resolve(),
    async restart(again) {
      network.dispose();
      return await startKernels(again);
    },
  };
}
