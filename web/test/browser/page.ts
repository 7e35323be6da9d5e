/** The page of the tests: built once a file of tests, served, opened. */
import { fileURLToPath } from "node:url";
import type { Browser, Page as Tab } from "playwright-core";
import { build } from "vite";
import { wasmFiles } from "../../vite.config.js";
import { scratchFolder, type Site } from "./chromium.js";

export const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Build the page with the library as it is published; returns its folder. */
export async function buildPage(): Promise<string> {
  const out = scratchFolder();
  await build({
    configFile: false,
    logLevel: "error",
    root: here("page"),
    base: "./",
    resolve: { alias: { "tfjs-esrgan": here("../../dist/index.js") } },
    worker: { format: "es" },
    plugins: [wasmFiles()],
    build: { outDir: out, emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 4000 },
  });
  return out;
}

/** A tab of its own, with the library in it. */
export async function openPage(browser: Browser, site: Site): Promise<Tab> {
  const context = await browser.newContext();
  const tab = await context.newPage();
  await tab.goto(`${site.url}/`);
  await tab.waitForFunction(() => "esrgan" in globalThis);
  return tab;
}

export const close = (tab: Tab) => tab.context().close();
