/** `import "tfjs-esrgan/webgpu"` offers the backend webgpu, and plain JavaScript to check its results with. */
import { registerBackend } from "./engine/backend.js";
import { cpu } from "./engine/backends/cpu.js";
import { webgpu } from "./engine/backends/webgpu.js";
import { registerEngine } from "./engine/ways.js";
import { startWebgpu } from "./engine/webgpu/webgpu.js";

registerBackend("cpu", () => Promise.resolve(cpu));
registerBackend("webgpu", () => Promise.resolve(webgpu));
registerEngine("webgpu", startWebgpu);
