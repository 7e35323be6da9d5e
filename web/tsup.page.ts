/**
 * `dist/page/`: the library for pages, with TF.js and its .wasm files in it, so that nothing else need be found: neither by a
 * bundler nor by a server. The worker is one file: where no bundler knows it, it is copied, or named by its address.
 * `dist/kernels/kernels.js`, `shaders.js`: the kernels alone, and the shaders, each one file.
 */
import { copyFile, mkdir, readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { defineConfig, type Options } from "tsup";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const WASM = here("node_modules/@tensorflow/tfjs-backend-wasm/dist/");
const OUT = here("dist/page/");

const page: Options = {
  format: "esm",
  target: "es2022",
  platform: "browser",
  noExternal: [/./],
  minify: true,
  outDir: OUT,
};

export default defineConfig([
  {
    ...page,
    entry: { index: "src/index.ts" },
    splitting: true,
    async onSuccess() {
      await mkdir(`${OUT}wasm`, { recursive: true });
      for (const name of await readdir(WASM))
        if (name.endsWith(".wasm")) await copyFile(WASM + name, `${OUT}wasm/${name}`);
    },
  },
  // the last line says that it is a module
  { ...page, entry: { worker: "src/worker.ts" }, splitting: false, footer: { js: "export {};" } },
  {
    entry: {
      kernels: "src/engine/kernels/standalone.ts",
      shaders: "src/engine/webgpu/standalone.ts",
    },
    format: "esm",
    target: "es2022",
    platform: "neutral",
    external: [/^node:/],
    splitting: false,
    minify: true,
    outDir: here("dist/kernels/"),
  },
]);
