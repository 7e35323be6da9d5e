/**
 * The package in other people's projects, each installed from its tarball and built by its own tool; the picture that comes
 * out must be PyTorch's. Continuous integration runs three of them, `make projects` all, and writes the table in docs/web.md.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bytesOf, worst } from "../fixtures.js";
import { launchFirefox, type Firefox } from "../../../bridge/esrgan_bridge/tfjs_runner/firefox.mjs";
import { hasChromium, launch } from "../browser/chromium.js";
import { PROJECTS, type Project } from "./list.js";
import { run, Workshop } from "./running.js";
import { keep, withTable, type Result } from "./table.js";

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
const FIREFOX = [process.env["FIREFOX"], "/usr/bin/firefox", "/usr/bin/firefox-esr"].find(
  (place) => place !== undefined && existsSync(place),
);
if (!FIREFOX) console.error("NO FIREFOX ON THIS MACHINE: the projects are tried in Chromium alone");
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
  let firefox: Firefox | undefined;
  const results: Result[] = [];

  beforeAll(async () => {
    workshop = new Workshop();
    browser = await launch();
    if (FIREFOX) firefox = await launchFirefox(FIREFOX);
  }, 120_000);
  afterAll(async () => {
    const browsers = { Chromium: browser.version(), ...(firefox ? { Firefox: firefox.version } : {}) };
    await browser?.close();
    await firefox?.close();
    workshop?.close();
    if (!wanted) return;
    keep(browsers, results);
    const page = here("../../../docs/web.md");
    writeFileSync(page, withTable(readFileSync(page, "utf8")));
  });

  test.each(chosen.map((project) => [project.name, project] as const))("%s", async (name, project) => {
    const result: Result = { name, version: "", thread: project.thread, setUp: project.setUp, browsers: {} };
    results.push(result);
    const folder = workshop.prepare(project);
    result.version = workshop.version(project);
    const tell = (verdict: string) => {
      result.browsers["Chromium"] = verdict;
      if (firefox) result.browsers["Firefox"] = verdict;
    };
    const tidy = () => {
      const others = chosen.slice(chosen.indexOf(project) + 1);
      if (!others.some(({ folder, manager }) => folder === project.folder && manager === project.manager))
        workshop.remove(project);
    };
    const { program } = project;
    if (program) {
      const [command, ...words] = program;
      const answer = run(command!, words, folder, JSON.stringify(given));
      check(project, JSON.parse(answer) as Answer);
      tell("not asked");
      tidy();
      return;
    }
    const running = await workshop.open(project, folder);
    try {
      if (project.thread === "server") check(project, await fromServer(running.url));
      else {
        check(project, await inChromium(running.url));
        if (firefox) check(project, await inFirefox(firefox, running.url));
      }
      tell(project.thread === "server" ? "not asked" : "right");
    } finally {
      await running.close();
      tidy();
    }
  });

  async function inChromium(url: string): Promise<Answer> {
    const tab = await browser.newPage();
    const complaints: string[] = [];
    tab.on("pageerror", (error) => complaints.push(error.message));
    try {
      await tab.goto(url);
      return await tab.evaluate(enlarged, given);
    } catch (error) {
      throw new Error(`${String(error)} ${complaints.join("; ")}`);
    } finally {
      await tab.close();
    }
  }
});

/** Runs in the page, once its script has. */
async function enlarged(picture: typeof given): Promise<Answer> {
  const page = globalThis as unknown as { enlarge?: (picture: unknown) => Promise<Answer> };
  for (let turn = 0; turn < 200 && !page.enlarge; turn++)
    await new Promise((resolve) => setTimeout(resolve, 100));
  if (!page.enlarge) throw new Error("the page's script does not run");
  return await page.enlarge(picture);
}

async function inFirefox(firefox: Firefox, url: string): Promise<Answer> {
  const tab = await firefox.open(url);
  try {
    return await tab.evaluate(enlarged, given);
  } finally {
    await tab.close();
  }
}

function check(project: Project, answer: Answer): void {
  expect([answer.width, answer.height]).toEqual([4 * given.width, 4 * given.height]);
  expect(worst(answer.data, bytesOf(sample.expected))).toBeLessThanOrEqual(MOST);
  if (["page", "service worker"].includes(project.thread))
    expect(answer.reason).toMatch(/; in the page's thread, because /);
  else expect(answer.reason).not.toMatch(/in the page's thread/);
}

async function fromServer(url: string): Promise<Answer> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(given) });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as Answer;
}
