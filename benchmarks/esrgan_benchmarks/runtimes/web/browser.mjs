// A runtime in a headless Chromium: node browser.mjs BRIDGE TFJS PACKAGES ARTEFACTS ENGINE THREADS CHROMIUM KERNELS FLAGS,
// with the bridge's scripts, the folders that have node_modules (TF.js's and ours, or "-"), the network's copies, the
// file of tfjs-esrgan's kernels, or "-", and flags of Chromium in place of the bridge's own, as JSON, or "-".

import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [bridge, tfjs, packages, artefacts, name, threads, program, kernels, flags] = process.argv.slice(2);
const { runInBrowser } = await import(pathToFileURL(join(bridge, "browser.mjs")).href);
const roots = {
  "/tfjs/": join(tfjs, "node_modules"),
  "/npm/": join(packages, "node_modules"),
  "/bridge/": bridge,
  "/artefacts/": artefacts,
  "/kernels/": dirname(kernels),
  "/": fileURLToPath(new URL(".", import.meta.url)),
};

// all runtimes shall take the threads that were asked for
await runInBrowser({
  driver: tfjs, browser: "chromium", program, roots, name, threads: Number(threads), isolated: true, model: artefacts,
  flags: flags === "-" ? undefined : JSON.parse(flags),
});
