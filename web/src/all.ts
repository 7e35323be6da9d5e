/** Offer every backend of a browser; the code of each is loaded when it is tried. */
import { registerBackend } from "./backend.js";

registerBackend("webgpu", async () => (await import("./backends/webgpu.js")).webgpu);
registerBackend("webgl", async () => (await import("./backends/webgl.js")).webgl);
registerBackend("wasm", async () => (await import("./backends/wasm.js")).wasm);
registerBackend("cpu", async () => (await import("./backends/cpu.js")).cpu);

export { localRunner } from "./local.js";
