// TF.js in a headless Chromium: node run-browser.mjs PACKAGES MODEL BACKEND CHROMIUM
// [KERNELS], with the file of the kernels for the backend "kernels".

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runInBrowser } from "./browser.mjs";

const [packages, model, name, chromium, kernels] = process.argv.slice(2);
const roots = { "/npm/": join(packages, "node_modules"), "/model/": model, "/": fileURLToPath(new URL(".", import.meta.url)) };
if (kernels) roots["/kernels/"] = dirname(kernels);

await runInBrowser({ driver: packages, chromium, roots, name, isolated: Boolean(kernels), model });
