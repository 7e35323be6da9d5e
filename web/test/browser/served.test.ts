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
import { here } from "./page.js";
import { esrgan, hasPython } from "./python.js";

const PHOTO = here("../../../examples/cat.jpg");
const MODELS = ["esrgan-lite-x4", "esrgan-lite-x4-gan"];
const PICTURES = process.env["DEMO_PICTURES"];

describe.skipIf(!hasChromium || !hasPython)("esrgan demo", () => {
  let command: ChildProcess;
  let said = "";
  let browser: Browser;
  let url: string;

  beforeAll(async () => {
    command = spawn(esrgan, ["demo", "--no-browser", "--port", "0"], {
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

  test("enlarges a photo with threads, by a model converted on the spot", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const context = await browser.newContext({ viewport: { width: 1180, height: 800 }, colorScheme });
      const tab = await context.newPage();
      const complaints: string[] = [];
      tab.on("pageerror", (error) => complaints.push(error.message));
      tab.on("console", (message) => {
        if (message.type() === "error") complaints.push(message.text());
      });
      await tab.goto(url);
      expect(await tab.evaluate(() => crossOriginIsolated)).toBe(true);
      await tab.setInputFiles("#file", PHOTO);
      expect((await tab.locator("#model option").allTextContents()).slice(0, 2)).toEqual(MODELS);
      await tab.selectOption("#backend", "wasm");
      await tab.click("#start");
      await tab.getByText("Done.").waitFor();
      expect(await tab.textContent("#facts")).toMatch(/720 × 560 pixels.*wasm.*Apache-2\.0/s);
      await tab.fill("#slider", "45");
      const shot = await tab.screenshot();
      if (PICTURES)
        await sharp(shot)
          .jpeg({ quality: 85, mozjpeg: true })
          .toFile(join(PICTURES, `demo-page-${colorScheme}.jpg`));
      expect(complaints).toEqual([]);
      await context.close();
    }
  });

  test("ends when told to", async () => {
    const ended = once(command, "exit");
    command.kill("SIGINT");
    expect(await ended).toEqual([0, null]);
    expect(said).not.toMatch(/Traceback/);
    await expect(fetch(url)).rejects.toThrow();
  });
});
