/** `import "tfjs-esrgan/wasm"` offers this backend, and plain JavaScript to check it by, and no other. */
import { registerBackend } from "./backend.js";
import { cpu } from "./backends/cpu.js";
import { wasm } from "./backends/wasm.js";
import { startKernels } from "./kernels/wasm.js";
import { registerEngine } from "./ways.js";

registerBackend("cpu", () => Promise.resolve(cpu));
registerEngine("wasm", startKernels);
registerBackend("wasm", () => Promise.resolve(wasm));
