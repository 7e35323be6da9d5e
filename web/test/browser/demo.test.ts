/** The demo page, as it is published, in a real browser. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page as Tab } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasChromium, launch, scratchFolder, serveSite, type Site } from "./chromium.js";
import { here } from "./page.js";
import { ALLOWED, difference, fromStored, plainShot } from "./shots.js";

const PHOTO = here("../../../examples/cat.jpg");

describe.skipIf(!hasChromium)("the demo page", () => {
  const models = scratchFolder();
  let browser: Browser;
  let site: Site;

  beforeAll(async () => {
    execFileSync(
      process.execPath,
      [here("../../node_modules/vite/bin/vite.js"), "build", "--logLevel", "error"],
      { cwd: here("../.."), env: { ...process.env, NODE_ENV: "production" } },
    );
    mkdirSync(join(models, "list"));
    const list = [
      { name: "tiny", folder: "compact-x4" },
      { name: "tiny, deep", folder: "rrdb-x4" },
    ];
    writeFileSync(join(models, "list", "models.json"), JSON.stringify(list));
    browser = await launch();
    // no headers: the service worker isolates the page
    site = await serveSite(
      {
        "/": here("../../dist-demo"),
        "/models/": here("../fixtures"),
        "/models/models.json": join(models, "list", "models.json"),
      },
      { isolated: false },
    );
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  async function open(
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
    await tab.waitForFunction(() => document.querySelectorAll("#model option").length > 1);
    return { tab, complaints };
  }

  const enlarge = async (tab: Tab) => {
    await tab.setInputFiles("#file", PHOTO);
    await tab.selectOption("#backend", "wasm");
    await tab.click("#start");
    await tab.getByText("Done.").waitFor();
  };

  test("enlarges a photo, says how, and gives it for download", async () => {
    const { tab, complaints } = await open({ viewport: { width: 1280, height: 800 } });
    expect(await tab.isDisabled("#start")).toBe(true);
    await enlarge(tab);
    expect(await tab.textContent("#facts")).toMatch(/720 × 560 pixels.*Time.*wasm.*exact/s);
    expect(await tab.evaluate(() => document.querySelector<HTMLCanvasElement>("#after")!.width)).toBe(720);
    const coming = tab.waitForEvent("download");
    await tab.click("#download");
    expect((await coming).suggestedFilename()).toBe("cat-4x.png");
    await tab.focus("#slider");
    await tab.keyboard.press("End");
    expect(await tab.evaluate(() => getComputedStyle(document.querySelector("#after")!).clipPath)).toContain(
      "100%",
    );
    await tab.click("#in");
    expect(await tab.textContent("#zoom")).toMatch(/%/);
    expect(complaints).toEqual([]);
    await tab.context().close();
  });

  test("stops when told to, and can go on", async () => {
    const { tab } = await open();
    await tab.setInputFiles("#file", PHOTO);
    await tab.selectOption("#model", { label: "tiny, deep" });
    await tab.selectOption("#backend", "cpu");
    await tab.click("#start");
    await tab.getByText("Enlarging on cpu").waitFor();
    await tab.keyboard.press("Escape");
    await tab.getByText("Stopped.").waitFor();
    expect(await tab.isEnabled("#start")).toBe(true);
    await tab.context().close();
  });

  test("says what is no picture", async () => {
    const { tab } = await open();
    await tab.setInputFiles("#file", {
      name: "a.png",
      mimeType: "image/png",
      buffer: Buffer.from("nothing"),
    });
    await tab.getByText("This is no picture").waitFor();
    await tab.context().close();
  });

  test("works offline after the first visit, and isolates itself", async () => {
    const { tab } = await open();
    await tab.evaluate(() => navigator.serviceWorker.ready.then(() => true));
    await tab.reload();
    await tab.waitForFunction(() => document.querySelectorAll("#model option").length > 1);
    expect(await tab.evaluate(() => crossOriginIsolated)).toBe(true);
    await enlarge(tab);
    await tab.context().setOffline(true);
    await tab.reload();
    await tab.waitForFunction(() => document.querySelectorAll("#model option").length > 1);
    await enlarge(tab);
    expect(await tab.textContent("#facts")).toMatch(/as asked; kernels with relaxed SIMD; \d threads/);
    await tab.context().close();
  });

  test("every control has a name", async () => {
    const { tab } = await open();
    const nameless = await tab.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>("button, input, select, progress")]
        .filter(
          (one) =>
            !one.getAttribute("aria-label") &&
            !one.textContent.trim() &&
            !(one as HTMLInputElement).labels?.length,
        )
        .map((one) => one.id),
    );
    expect(nameless).toEqual([]);
    await tab.context().close();
  });

  test.each([
    ["desktop", "light", 1280, 800],
    ["desktop", "dark", 1280, 800],
    ["phone", "light", 390, 844],
    ["phone", "dark", 390, 844],
  ] as const)("fits a %s, %s", async (kind, colorScheme, width, height) => {
    const { tab, complaints } = await open({ viewport: { width, height }, colorScheme });
    await enlarge(tab);
    expect(await tab.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    const shot = await plainShot(tab);
    expect(await fromStored(`${kind}-${colorScheme}`, shot)).toBeLessThan(ALLOWED);
    expect(complaints).toEqual([]);
    await tab.context().close();
  });

  test("the comparison of screenshots sees what changes", async () => {
    const { tab } = await open({ viewport: { width: 1280, height: 800 } });
    await tab.setInputFiles("#file", PHOTO);
    await tab.locator("#viewer").waitFor();
    const before = await plainShot(tab);
    expect(await difference(before, await plainShot(tab))).toBe(0);
    await tab.addStyleTag({ content: ".panel { background: var(--accent); }" });
    expect(await difference(before, await plainShot(tab))).toBeGreaterThan(ALLOWED);
    await tab.context().close();
  });
});
