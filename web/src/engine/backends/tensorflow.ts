import { BackendError } from "../../errors.js";
import type { Backend } from "../backend.js";

/** TensorFlow's own library in Node, where the package @tensorflow/tfjs-node is installed. */
export async function loadTensorflow(): Promise<Backend> {
  const name: string = "@tensorflow/tfjs-node";
  try {
    await import(name);
  } catch {
    throw new BackendError(
      "the package @tensorflow/tfjs-node is not installed (npm install @tensorflow/tfjs-node), or not for this machine",
    );
  }
  return {
    name: "tensorflow",
    tfName: "tensorflow",
    budget: 4 * 2 ** 30,
    im2col: false,
    deferred: false,
    keepsAddresses: false,
    prepare: () => Promise.resolve(),
    isLost: () => false,
  };
}
