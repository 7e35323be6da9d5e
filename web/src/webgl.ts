/** `import "tfjs-esrgan/webgl"` offers this backend, and plain JavaScript to check it by, and no other. */
import { registerBackend } from "./engine/backend.js";
import { cpu } from "./engine/backends/cpu.js";
import { webgl } from "./engine/backends/webgl.js";

registerBackend("cpu", () => Promise.resolve(cpu));
registerBackend("webgl", () => Promise.resolve(webgl));
