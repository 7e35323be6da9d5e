/**
 * `esrgan demo` in a real browser, with the weights that come with the project and that it converts itself. Pictures of the page for the
 * README go to DEMO_PICTURES where that is set.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Browser } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasChromium, launch } from "./chromium.js";
import { CAT, backend, enlarge, model, saved } from "./demo-page.js";
import { hasPython, python } from "./python.js";

const PICTURES = process.env["DEMO_PICTURES"];

describe.skipIf(!hasChromium || !hasPython)("esrgan demo", () => {
  let command: ChildProcess;
  let said = "";
  let browser: Browser;
  let url: string;

  beforeAll(async () => {
    command = spawn(python, ["-m", "esrgan_cli", "demo", "--no-browser", "--port", "0"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    command.stderr!.on("data", (text: Buffer) => (said += text.toString()));
    const lines = createInterface(command.stdout!);
    [url] = (await Promise.race([
      once(lines, "line"),
      once(command, "exit").then(() => Promise.reject(new Error(said))),
    ])) as [string];
    browser = await launch();
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    command?.kill("SIGKILL");
  });

  const open = async (options: Parameters<Browser["newContext"]>[0]) => {
    const context = await browser.newContext(options);
    const tab = await context.newPage();
    const complaints: string[] = [];
    tab.on("pageerror", (error) => complaints.push(error.message));
    tab.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    await tab.goto(url);
    await tab.locator(".card").first().waitFor();
    return { tab, complaints };
  };

  test.each([
    ["desktop", "light", 1280, 800],
    ["desktop", "dark", 1280, 800],
    ["phone", "light", 390, 844],
  ] as const)(
    "enlarges a photo on a %s, %s, by a model converted on the spot",
    async (kind, colorScheme, width, height) => {
      const { tab, complaints } = await open({ viewport: { width, height }, colorScheme });
      expect(await tab.evaluate(() => crossOriginIsolated)).toBe(true);
      await backend(tab);
      expect(await tab.locator(".card-title").allTextContents()).toContain("Small or compressed photos");
      await tab.setInputFiles("#file", CAT);
      await enlarge(tab);
      expect(await tab.textContent("#facts")).toMatch(/720 × 560 pixels.*wasm.*(Apache-2\.0|BSD-3-Clause)/s);
      if (PICTURES) {
        await tab.locator(".panel").evaluate((panel) => (panel.scrollTop = 0));
        await sharp(await tab.screenshot())
          .webp({ quality: 80, effort: 6 })
          .toFile(join(PICTURES, `demo-${kind}-${colorScheme}.webp`));
      }
      expect(complaints).toEqual([]);
      await tab.context().close();
    },
  );

  test("this computer enlarges it too, with all 16 bits", async () => {
    const { tab, complaints } = await open({ viewport: { width: 1280, height: 800 } });
    await tab.locator("#place").waitFor();
    await tab.check('[value="computer"]', { force: true });
    await model(tab, "Clean pictures");
    const pixels = Uint16Array.from({ length: 3 * 20 * 10 }, (_, at) => (at * 12345) % 65536);
    const deep = await sharp(pixels, { raw: { width: 20, height: 10, channels: 3 } })
      .toColourspace("rgb16")
      .png()
      .toBuffer();
    await tab.setInputFiles("#file", { name: "deep.png", mimeType: "image/png", buffer: deep });
    await enlarge(tab);
    expect(await tab.textContent("#facts")).toMatch(/80 × 40 pixels, 16 bits a colour/);
    const { name, bytes } = await saved(tab, "#save-one");
    expect(name).toBe("deep-4x.png");
    expect(await sharp(bytes).metadata()).toMatchObject({ width: 80, height: 40, depth: "ushort" });
    expect(complaints).toEqual([]);
    await tab.context().close();
  });

  test("this computer opens what the page cannot, once it is chosen", async () => {
    const { tab } = await open({ viewport: { width: 1280, height: 800 } });
    await tab.locator("#place").waitFor();
    const scan = await sharp({ create: { width: 24, height: 16, channels: 3, background: "teal" } })
      .tiff()
      .toBuffer();
    await tab.setInputFiles("#file", { name: "scan.tif", mimeType: "image/tiff", buffer: scan });
    await tab.getByText("scan.tif is a TIFF or a raw photo").first().waitFor();
    await tab.check('[value="computer"]', { force: true });
    await tab.getByText("scan.tif: 24 × 16 pixels.").waitFor();
    await model(tab, "Clean pictures");
    await enlarge(tab);
    expect((await saved(tab, "#save-one")).name).toBe("scan-4x.png");
    await tab.context().close();
  });

  test("a page without the key has no computer", async () => {
    const { tab } = await open({});
    await tab.goto("about:blank");
    await tab.goto(url.split("#")[0]!);
    await tab.locator(".card").first().waitFor();
    expect(await tab.isVisible("#place")).toBe(false);
    await tab.context().close();
  });

  test("ends when told to", async () => {
    const ended = once(command, "exit");
    command.kill("SIGINT");
    expect(await ended).toEqual([0, null]);
    expect(said).not.toMatch(/Traceback/);
    await expect(fetch(url)).rejects.toThrow();
  });
});
