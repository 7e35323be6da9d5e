/**
 * The package in other people's projects, each installed from its tarball and built by its own tool; the picture that comes
 * out must be PyTorch's. Continuous integration runs three of them, `make projects` all, and writes the table in docs/web.md.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bytesOf, worst } from "../fixtures.js";
import { hasChromium, launch } from "../browser/chromium.js";
import { PROJECTS } from "./list.js";
import { Workshop } from "./running.js";
import { RESULTS, withTable, type Result } from "./table.js";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const wanted = process.env["PROJECTS"] ?? "";
const chosen = PROJECTS.filter(({ name, always }) =>
  wanted === "all" ? true : wanted ? name.includes(wanted) : always,
);
const sample = JSON.parse(readFileSync(here("expected.json"), "utf8")) as {
  width: number;
  height: number;
  given: string;
  expected: string;
};
const given = { width: sample.width, height: sample.height, data: [...bytesOf(sample.given)] };
const MOST = 2; // levels: weights are rounded to float16

interface Answer {
  width: number;
  height: number;
  data: number[];
  reason: string;
}

describe.skipIf(!hasChromium)("in the project of", () => {
  let workshop: Workshop;
  let browser: Browser;
  const results: Result[] = [];

  beforeAll(async () => {
    workshop = new Workshop();
    browser = await launch();
  }, 120_000);
  afterAll(async () => {
    if (wanted === "all") {
      const version = browser.version();
      writeFileSync(RESULTS, `${JSON.stringify({ browsers: { Chromium: version }, results }, null, 1)}\n`);
      const page = here("../../../docs/web.md");
      writeFileSync(page, withTable(readFileSync(page, "utf8")));
    }
    await browser?.close();
    workshop?.close();
  });

  test.each(chosen.map((project) => [project.name, project] as const))("%s", async (name, project) => {
    const result: Result = { name, version: "", thread: project.thread, setUp: project.setUp, browsers: {} };
    results.push(result);
    const folder = workshop.prepare(project);
    result.version = workshop.version(project);
    const running = await workshop.open(project, folder);
    try {
      const answer = await (project.thread === "server" ? fromServer(running.url) : inBrowser(running.url));
      expect([answer.width, answer.height]).toEqual([4 * given.width, 4 * given.height]);
      expect(worst(answer.data, bytesOf(sample.expected))).toBeLessThanOrEqual(MOST);
      if (project.thread === "page") expect(answer.reason).toMatch(/; in the page's thread, since /);
      else expect(answer.reason).not.toMatch(/in the page's thread/);
      result.browsers["Chromium"] = "right";
    } finally {
      await running.close();
      const others = chosen.slice(chosen.indexOf(project) + 1);
      if (!others.some((other) => other.folder === project.folder)) workshop.remove(project.folder);
    }
  });

  async function inBrowser(url: string): Promise<Answer> {
    const tab = await browser.newPage();
    const complaints: string[] = [];
    tab.on("pageerror", (error) => complaints.push(error.message));
    try {
      await tab.goto(url);
      await tab
        .waitForFunction(() => "enlarge" in globalThis, undefined, { timeout: 20_000 })
        .catch(() => {
          throw new Error(`the page offers nothing: ${complaints.join("; ")}`);
        });
      return await tab.evaluate(
        (picture) =>
          (globalThis as unknown as { enlarge: (given: unknown) => Promise<Answer> }).enlarge(picture),
        given,
      );
    } finally {
      await tab.close();
    }
  }
});

async function fromServer(url: string): Promise<Answer> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(given) });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as Answer;
}
