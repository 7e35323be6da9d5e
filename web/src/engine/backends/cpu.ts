import "@tensorflow/tfjs-backend-cpu";
import type { Backend } from "../backend.js";

/** Plain JavaScript: slow, but correct and available everywhere. The results of the others are compared with it. */
export const cpu: Backend = {
  name: "cpu",
  tfName: "cpu",
  budget: 2 ** 30,
  im2col: false,
  deferred: false,
  keepsAddresses: false,
  prepare: () => Promise.resolve(),
  isLost: () => false,
};
