/** `import "tfjs-esrgan/wasm"` offers this backend, and plain JavaScript to check it by, and no other. */
import { registerBackend } from "./backend.js";
import { cpu } from "./backends/cpu.js";
import { wasm } from "./backends/wasm.js";

registerBackend("cpu", () => Promise.resolve(cpu));
registerBackend("wasm", () => Promise.resolve(wasm));
