/** Offer every backend of a browser; the code of each is loaded when it is tried. */
import { registerBackend } from "./engine/backend.js";
import { registerEngine } from "./engine/ways.js";

registerBackend("webgpu", async () => (await import("./engine/backends/webgpu.js")).webgpu);
registerEngine("webgpu", async (model, options) =>
  (await import("./engine/webgpu/webgpu.js")).startWebgpu(model, options),
);
registerBackend("webgl", async () => (await import("./engine/backends/webgl.js")).webgl);
registerBackend("wasm", async () => (await import("./engine/backends/wasm.js")).wasm);
registerEngine("wasm", async (model) => (await import("./engine/kernels/wasm.js")).startKernels(model));
registerBackend("cpu", async () => (await import("./engine/backends/cpu.js")).cpu);

export { localRunner } from "./models/local.js";
