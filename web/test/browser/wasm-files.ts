/** TF.js's .wasm files at an address of a page's own, for what is not told by a bundler where they are. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const WASM = fileURLToPath(
  new URL("../../node_modules/@tensorflow/tfjs-backend-wasm/dist/", import.meta.url),
);

/** Put TF.js's .wasm files into `wasm/`. */
export function wasmFiles(): Plugin {
  const names = readdirSync(WASM).filter((name) => name.endsWith(".wasm"));
  return {
    name: "wasm-files",
    generateBundle() {
      for (const name of names)
        this.emitFile({ type: "asset", fileName: `wasm/${name}`, source: readFileSync(WASM + name) });
    },
    configureServer(server) {
      server.middlewares.use("/wasm/", (request, response, next) => {
        const name = names.find((known) => request.url === `/${known}`);
        if (!name) {
          next();
          return;
        }
        response.setHeader("Content-Type", "application/wasm");
        response.end(readFileSync(WASM + name));
      });
    },
  };
}
