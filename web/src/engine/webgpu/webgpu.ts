/** The shaders on WebGPU. */
import type { Model } from "../../models/download.js";
import type { StartOptions } from "../backend.js";
import type { Computer } from "../ways.js";
import { Machine } from "./device.js";
import { planOf, WebgpuNetwork } from "./network.js";
import { chooseShape } from "./tune.js";

export { useProvider } from "./device.js";

const BUDGET = 2 * 2 ** 30; // as much as TF.js's is granted

/** @throws Error there is no WebGPU here, or the graph is of another form */
export async function startWebgpu(model: Model, options: StartOptions): Promise<Computer> {
  const machine = await Machine.open();
  try {
    if (machine.software && !options.asked)
      throw new Error(`${machine.name} is emulated on the processor, where WebAssembly is faster`);
    // a processor computes in float32 whatever it is given, and rounds after every step
    const precision = machine.hasHalf && !machine.software ? "float16" : "float32";
    const plan = planOf(model, precision);
    const programs = [plan.trunk, ...(plan.tail ? [plan.tail] : [])];
    const { shape, reason } = await chooseShape(machine, programs, precision, options.memories);
    const network = await WebgpuNetwork.start(machine, plan, shape);
    return {
      network,
      budget: BUDGET,
      about: () => [`kernels in ${precision} on ${machine.name}`, reason],
      isLost: () => machine.isLost(),
      select: () => Promise.resolve(),
      async restart(again, given) {
        network.dispose();
        return await startWebgpu(again, { ...given, asked: true }); // it was chosen once
      },
    };
  } catch (error) {
    machine.close();
    throw error;
  }
}
