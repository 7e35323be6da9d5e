/** `import "tfjs-esrgan/webgl"` offers the backend webgl, and plain JavaScript to check its results with. */
import { registerBackend } from "./engine/backend.js";
import { cpu } from "./engine/backends/cpu.js";
import { webgl } from "./engine/backends/webgl.js";

registerBackend("cpu", () => Promise.resolve(cpu));
registerBackend("webgl", () => Promise.resolve(webgl));
