/** `import "tfjs-esrgan/cpu"` offers plain JavaScript, and no other backend. */
import { registerBackend } from "./engine/backend.js";
import { cpu } from "./engine/backends/cpu.js";

registerBackend("cpu", () => Promise.resolve(cpu));
