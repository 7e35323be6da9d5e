/** `import "tfjs-esrgan/webgpu"` offers this backend, and plain JavaScript to check it by, and no other. */
import { registerBackend } from "./engine/backend.js";
import { cpu } from "./engine/backends/cpu.js";
import { webgpu } from "./engine/backends/webgpu.js";
import { registerEngine } from "./engine/ways.js";
import { startWebgpu } from "./engine/webgpu/webgpu.js";

registerBackend("cpu", () => Promise.resolve(cpu));
registerBackend("webgpu", () => Promise.resolve(webgpu));
registerEngine("webgpu", startWebgpu);
