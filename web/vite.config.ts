/** Builds the demo page into `dist-demo/`: static files for any host. `vite` serves it while it is changed. */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
export const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Write `sw.js` with the list of all files. */
function serviceWorker(): Plugin {
  return {
    name: "service-worker",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        // two of the three .wasm files are never used where the third is
        const files = [
          "./",
          ...Object.keys(bundle).filter(
            (name) => !/backend-wasm-[^-.]*\.wasm$/.test(name) && !name.endsWith(".map"),
          ),
        ];
        const hash = createHash("sha256").update(files.join("\n"));
        hash.update(readFileSync(here("demo/index.html")));
        const source = readFileSync(here("demo/sw.js"), "utf8")
          .replace("__VERSION__", hash.digest("hex").slice(0, 12))
          .replace("__FILES__", JSON.stringify(files));
        this.emitFile({ type: "asset", fileName: "sw.js", source });
      },
    },
  };
}

export default defineConfig({
  root: here("demo"),
  base: "./",
  resolve: { alias: { "tfjs-esrgan": here("dist/page/index.js") } },
  worker: { format: "es" },
  plugins: [serviceWorker()],
  server: { headers: ISOLATION },
  build: { outDir: here("dist-demo"), emptyOutDir: true, target: "es2022" },
});

if (!statSync(here("dist/page/index.js"), { throwIfNoEntry: false })) {
  throw new Error("the library is not built yet: npm run build");
}
