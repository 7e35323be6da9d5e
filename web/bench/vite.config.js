/** The page of the measurements, with one TF.js for both libraries. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { wasmFiles } from "../test/browser/wasm-files.ts";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const ONE = ["core", "converter", "backend-cpu", "backend-webgl"].map((name) => `@tensorflow/tfjs-${name}`);

export default defineConfig({
  root: here("."),
  base: "./",
  resolve: {
    alias: [
      { find: /^tfjs-esrgan$/, replacement: here("../dist/page/index.js") },
      { find: /^tfjs-esrgan\/(.*)$/, replacement: here("../dist/$1.js") },
    ],
    dedupe: ONE,
  },
  worker: { format: "es" },
  plugins: [wasmFiles()],
  // minified, TF.js cannot start its threads (src/engine/backends/wasm.ts repairs that for ours alone)
  build: {
    outDir: here("dist"),
    emptyOutDir: true,
    target: "es2022",
    minify: false,
    chunkSizeWarningLimit: 8000,
  },
});
