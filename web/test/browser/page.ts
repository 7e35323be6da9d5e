/** The page of the tests: built once a file of tests, served, opened. */
import { fileURLToPath } from "node:url";
import type { Browser, Page as Tab } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll } from "vitest";
import type { Picture } from "../../src/images/pixels.js";
import { wasmFiles } from "./wasm-files.js";
import { launch, scratchFolder, serveSite, type Site } from "./chromium.js";

export const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Build the page with the library as it is published; returns its folder. */
export async function buildPage(): Promise<string> {
  const out = scratchFolder();
  await build({
    configFile: false,
    logLevel: "error",
    root: here("page"),
    base: "./",
    resolve: { alias: { "tfjs-esrgan": here("../../dist/page/index.js") } },
    worker: { format: "es" },
    plugins: [wasmFiles()],
    build: { outDir: out, emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 4000 },
  });
  return out;
}

/**
 * A tab of its own, with the library in it.
 *
 * @param before runs in the page before anything else does
 */
export async function openPage(browser: Browser, site: Site, before?: () => void): Promise<Tab> {
  const context = await browser.newContext();
  const tab = await context.newPage();
  if (before) await tab.addInitScript(before);
  await tab.goto(`${site.url}/`);
  await tab.waitForFunction(() => "esrgan" in globalThis);
  return tab;
}

export const close = (tab: Tab) => tab.context().close();

/** The page beside the fixtures' models, from the first test of a `describe` to its last. */
export function fixturePage() {
  let folders: Record<string, string>;
  let browser: Browser;
  let site: Site;
  beforeAll(async () => {
    folders = {
      "/": await buildPage(),
      "/models/": here("../fixtures"),
      "/photo.jpg": here("../../../examples/cat.jpg"),
    };
    browser = await launch();
    site = await serveSite(folders);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });
  return {
    get site() {
      return site;
    },
    /** The same files once more, served otherwise. */
    serve: (options: Parameters<typeof serveSite>[1]): Promise<Site> => serveSite(folders, options),
    open: (place: Site = site, before?: () => void): Promise<Tab> => openPage(browser, place, before),
  };
}

/** A picture as `esrgan.picture` of the page takes it. */
export function toSend({ width, height, data }: Picture) {
  return { width, height, data: Buffer.from(data).toString("base64") };
}
