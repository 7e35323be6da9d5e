/** `gpu.cjs`: one file with the engine, TF.js and the measurement, for a machine without npm's packages. */
import { defineConfig } from "tsup";

export default defineConfig({
  entry: { gpu: "bench/gpu.ts" },
  format: "cjs",
  target: "node20",
  platform: "node",
  noExternal: [/./],
  splitting: false,
  outExtension: () => ({ js: ".cjs" }),
});
