import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import type { Backend } from "../backend.js";

let lost: GPUDevice | undefined;
let watched: GPUDevice | undefined;

/** WebGPU, where the browser offers an adapter. */
export const webgpu: Backend = {
  name: "webgpu",
  tfName: "webgpu",
  budget: 2 * 2 ** 30,
  im2col: false,
  deferred: true,
  keepsAddresses: false,
  async prepare() {
    const gpu = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
    if (!gpu) throw new Error("WebGPU is not available here");
    if (!(await gpu.requestAdapter())) throw new Error("WebGPU finds no graphics adapter");
  },
  isLost() {
    const device = (tf.findBackend("webgpu") as WebGPUBackend | null)?.device;
    if (device && device !== watched) {
      watched = device;
      void device.lost.then(() => (lost = device));
    }
    return device !== undefined && device === lost;
  },
};
