/**
 * `dist/standalone/`: the library with TF.js in it and TF.js's .wasm files, for pages without a bundler.
 * `dist/kernels/kernels.js`: the kernels alone, one file.
 */
import { copyFile, mkdir, readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { defineConfig } from "tsup";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const WASM = here("node_modules/@tensorflow/tfjs-backend-wasm/dist/");
const OUT = here("dist/standalone/");

export default defineConfig([
  {
    entry: { index: "src/index.ts", worker: "src/worker.ts" },
    format: "esm",
    target: "es2022",
    platform: "browser",
    noExternal: [/./],
    splitting: true,
    minify: true,
    outDir: OUT,
    async onSuccess() {
      await mkdir(`${OUT}wasm`, { recursive: true });
      for (const name of await readdir(WASM))
        if (name.endsWith(".wasm")) await copyFile(WASM + name, `${OUT}wasm/${name}`);
    },
  },
  {
    entry: { kernels: "src/kernels/standalone.ts" },
    format: "esm",
    target: "es2022",
    platform: "neutral",
    external: [/^node:/],
    splitting: false,
    minify: true,
    outDir: here("dist/kernels/"),
  },
]);
