/** `import "tfjs-esrgan/wasm"` offers the backend wasm, and plain JavaScript to check its results with. */
import { registerBackend } from "./engine/backend.js";
import { cpu } from "./engine/backends/cpu.js";
import { wasm } from "./engine/backends/wasm.js";
import { startKernels } from "./engine/kernels/wasm.js";
import { registerEngine } from "./engine/ways.js";

registerBackend("cpu", () => Promise.resolve(cpu));
registerEngine("wasm", startKernels);
registerBackend("wasm", () => Promise.resolve(wasm));
