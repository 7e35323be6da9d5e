/** `dist/`: what Node runs, and the parts that a program joins itself; TF.js is a package beside it. */
import { defineConfig } from "tsup";

export default defineConfig({
  entry: {
    inline: "src/inline.ts",
    node: "src/node.ts",
    serve: "src/serve.ts",
    cpu: "src/cpu.ts",
    wasm: "src/wasm.ts",
    webgl: "src/webgl.ts",
    webgpu: "src/webgpu.ts",
    cli: "src/cli/main.ts",
  },
  format: "esm",
  target: "es2022",
  platform: "neutral",
  external: [/^node:/, /^@tensorflow\//, "sharp"],
  splitting: true,
  clean: true,
  outDir: "dist",
});
