/** `import "tfjs-esrgan/cpu"` offers plain JavaScript, and no other backend. */
import { registerBackend } from "./backend.js";
import { cpu } from "./backends/cpu.js";

registerBackend("cpu", () => Promise.resolve(cpu));
