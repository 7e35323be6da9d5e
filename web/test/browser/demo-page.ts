/** The demo page, built and served for a file of tests. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page as Tab } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { launch, scratchFolder, serveSite, type Site } from "./chromium.js";
import { here } from "./page.js";

export const CAT = here("../../../examples/cat.jpg");
export const OWL = here("../../demo/samples/owl.png");

/** From the first test of a `describe` to its last; no headers: the service worker isolates the page. */
export function demoSite() {
  const scratch = scratchFolder();
  let browser: Browser;
  let site: Site;
  beforeAll(async () => {
    const out = join(scratch, "page");
    execFileSync(
      process.execPath,
      [here("../../node_modules/vite/bin/vite.js"), "build", "--logLevel", "error", "--outDir", out],
      { cwd: here("../.."), env: { ...process.env, NODE_ENV: "production" } },
    );
    mkdirSync(join(scratch, "list"));
    const list = [
      { name: "tiny", folder: "compact-x4", bytes: 12_345 },
      { name: "tiny, deep", folder: "rrdb-x4", summary: "A network for tests." },
    ];
    const models = join(scratch, "list", "models.json");
    writeFileSync(models, JSON.stringify(list));
    browser = await launch();
    site = await serveSite(
      { "/": out, "/models/": here("../fixtures"), "/models/models.json": models },
      { isolated: false },
    );
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  return {
    get site() {
      return site;
    },
    async open(
      options: Parameters<Browser["newContext"]>[0] = {},
    ): Promise<{ tab: Tab; complaints: string[] }> {
      const context = await browser.newContext(options);
      const tab = await context.newPage();
      const complaints: string[] = [];
      tab.on("pageerror", (error) => complaints.push(error.message));
      tab.on("console", (message) => {
        if (message.type() === "error") complaints.push(message.text());
      });
      await tab.goto(site.url);
      await tab.locator(".card").first().waitFor();
      return { tab, complaints };
    },
    backend,
    model,
    enlarge,
  };
}

/** Choose what computes; where it is chosen is closed again. */
export async function backend(tab: Tab, name = "wasm"): Promise<void> {
  await tab.click("summary");
  await tab.selectOption("#backend", name);
  await tab.click("summary");
}

export async function model(tab: Tab, title: string): Promise<void> {
  await tab.locator(".card", { has: tab.getByText(title, { exact: true }) }).click();
}

/** Enlarge what is shown, to the end. */
export async function enlarge(tab: Tab): Promise<void> {
  await tab.click("#start");
  await tab.getByText("Done.").waitFor();
  // the size of the file is known a moment later
  await tab.getByText(/Save \w+, \d/).waitFor();
}

/** What a button gives for download. */
export async function saved(tab: Tab, button: string): Promise<{ name: string; bytes: Buffer }> {
  const coming = tab.waitForEvent("download");
  await tab.click(button);
  const download = await coming;
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}
