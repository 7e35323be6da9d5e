// TF.js, or the kernels of tfjs-esrgan, in a browser without a window: node run-browser.mjs PACKAGES MODEL BACKEND
// BROWSER PROGRAM [KERNELS], where BROWSER is "chromium" or "firefox" and KERNELS the file of the backend "kernels".

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runInBrowser } from "./browser.mjs";

const [packages, model, name, browser, program, kernels] = process.argv.slice(2);
const roots = { "/npm/": join(packages, "node_modules"), "/model/": model, "/": fileURLToPath(new URL(".", import.meta.url)) };
if (kernels) roots["/kernels/"] = dirname(kernels);

await runInBrowser({ driver: packages, browser, program, roots, name, isolated: Boolean(kernels), model });
