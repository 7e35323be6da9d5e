/** Offer every backend of a browser; the code of each is loaded when it is tried. */
import { registerBackend } from "./backend.js";
import { registerEngine } from "./ways.js";

registerBackend("webgpu", async () => (await import("./backends/webgpu.js")).webgpu);
registerBackend("webgl", async () => (await import("./backends/webgl.js")).webgl);
registerBackend("wasm", async () => (await import("./backends/wasm.js")).wasm);
registerEngine("wasm", async (model) => (await import("./kernels/wasm.js")).startKernels(model));
registerBackend("cpu", async () => (await import("./backends/cpu.js")).cpu);

export { localRunner } from "./local.js";
