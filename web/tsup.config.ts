import { defineConfig } from "tsup";

export default defineConfig({
  entry: {
    index: "src/index.ts",
    inline: "src/inline.ts",
    node: "src/node.ts",
    worker: "src/worker.ts",
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
