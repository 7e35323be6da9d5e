/** `import "tfjs-esrgan/cpu"` offers the backend cpu, which is plain JavaScript, and no other. */
import { registerBackend } from "./engine/backend.js";
import { cpu } from "./engine/backends/cpu.js";

registerBackend("cpu", () => Promise.resolve(cpu));
