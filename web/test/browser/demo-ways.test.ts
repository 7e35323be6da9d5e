/** The demo page by mouse, fingers and keys, for eyes and for screen readers, on a desk and on a phone. */
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page as Tab } from "playwright-core";
import { describe, expect, test } from "vitest";
import { hasChromium } from "./chromium.js";
import { CAT, demoSite, enlarge } from "./demo-page.js";
import { ALLOWED, difference, fromStored, plainShot } from "./shots.js";

const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

/** What axe finds that keeps people out. */
async function barriers(tab: Tab): Promise<string[]> {
  await tab.addScriptTag({ path: createRequire(import.meta.url).resolve("axe-core/axe.min.js") });
  const { violations } = await tab.evaluate(
    async () =>
      await (globalThis as unknown as { axe: { run(options: object): Promise<AxeResults> } }).axe.run({
        resultTypes: ["violations"],
      }),
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

/** Where the divider is, in percent; how large the picture is on the screen, and where its left edge lies. */
const seen = async (tab: Tab) =>
  await tab.evaluate(() => {
    const ground = document.querySelector("#ground")!.getBoundingClientRect();
    return {
      cut: Number(document.querySelector("#divider")!.getAttribute("aria-valuenow")),
      width: ground.width,
      left: ground.left,
    };
  });

/** Those of the page's parts that cannot be seen and pressed without scrolling. */
const outOfSight = async (tab: Tab, ...parts: string[]) =>
  await tab.evaluate(
    (names) =>
      names.filter((name) => {
        const part = document.querySelector(name)!;
        const { left, top, right, bottom } = part.getBoundingClientRect();
        const corners = [top + 3, bottom - 3].map((y) => document.elementFromPoint((left + right) / 2, y));
        return !corners.every((found) => found && (part.contains(found) || found.contains(part)));
      }),
    parts,
  );

describe.skipIf(!hasChromium)("the demo page", () => {
  const demo = demoSite();
  const result = async (options: Parameters<typeof demo.open>[0]) => {
    const opened = await demo.open(options);
    await demo.backend(opened.tab);
    await demo.model(opened.tab, "tiny");
    await opened.tab.setInputFiles("#file", CAT);
    await enlarge(opened.tab);
    return opened;
  };

  test("is used by the keyboard alone", async () => {
    const { tab, complaints } = await demo.open({ viewport: DESK });
    await demo.backend(tab);
    const until = async (id: string) => {
      for (let presses = 0; presses < 40; presses++) {
        if ((await tab.evaluate(() => document.activeElement?.id)) === id) return;
        await tab.keyboard.press("Tab");
      }
      throw new Error(`#${id} is not reached`);
    };
    await tab.evaluate(() => (document.activeElement as HTMLElement).blur());
    await until("choose-folder");
    await tab.keyboard.press("Tab");
    await tab.keyboard.press("Enter"); // the first sample
    await tab.locator(".stage.filled").waitFor();
    await until("start");
    await tab.keyboard.press("Enter");
    await tab.getByText("Done.").waitFor();
    await tab.focus("#divider");
    await tab.keyboard.press("End");
    expect((await seen(tab)).cut).toBe(100);
    await tab.keyboard.press("ArrowLeft");
    await tab.keyboard.press("PageDown");
    expect((await seen(tab)).cut).toBe(88);
    await tab.focus("#stage");
    const whole = await seen(tab);
    for (let times = 0; times < 4; times++) await tab.keyboard.press("+");
    const large = await seen(tab);
    expect(large.width / whole.width).toBeCloseTo(1.25 ** 4, 1);
    await tab.keyboard.press("ArrowRight");
    expect((await seen(tab)).left).toBeCloseTo(large.left - 60, 0);
    await tab.keyboard.press("0");
    expect(await seen(tab)).toEqual(whole);
    await tab.keyboard.press("1");
    expect((await seen(tab)).width).toBeCloseTo(720, 0);
    await until("save-one");
    // the one that is removed leaves the focus in the page
    await tab.focus(".remove");
    await tab.keyboard.press("Enter");
    expect(await tab.evaluate(() => document.activeElement?.id)).toBe("choose");
    expect(complaints).toEqual([]);
    await tab.context().close();
  });

  test("follows wheel, mouse and two fingers", async () => {
    const { tab } = await result({ viewport: DESK });
    const whole = await seen(tab);
    const stage = (await tab.locator("#stage").boundingBox())!;
    const [x, y] = [stage.x + 200, stage.y + 200];
    const under = async () => {
      const { left, width } = await seen(tab);
      return (x - left) / width;
    };
    const point = await under();
    await tab.mouse.move(x, y);
    await tab.mouse.wheel(0, -500);
    const large = await seen(tab);
    expect(large.width / whole.width).toBeCloseTo(Math.E, 1);
    expect(await under()).toBeCloseTo(point, 2); // what is under the mouse stays there
    await tab.mouse.down();
    await tab.mouse.move(x - 50, y);
    await tab.mouse.up();
    expect((await seen(tab)).left).toBeCloseTo(large.left - 50, 0);
    const divider = (await tab.locator("#divider").boundingBox())!;
    await tab.mouse.move(divider.x + 20, y);
    await tab.mouse.down();
    await tab.mouse.move(stage.x + stage.width / 4, y);
    await tab.mouse.up();
    expect((await seen(tab)).cut).toBe(25);
    await tab.context().close();

    const phone = (await result({ viewport: PHONE, hasTouch: true, isMobile: true })).tab;
    const before = await seen(phone);
    const session = await phone.context().newCDPSession(phone);
    const fingers = async (type: "touchStart" | "touchMove" | "touchEnd", ...points: number[]) => {
      await session.send("Input.dispatchTouchEvent", {
        type,
        touchPoints: points.map((at, id) => ({ x: at, y: 150, id })),
      });
    };
    await fingers("touchStart", 90, 150);
    for (let step = 1; step <= 6; step++) await fingers("touchMove", 90 - 10 * step, 150 + 10 * step);
    await fingers("touchEnd");
    expect((await seen(phone)).width / before.width).toBeCloseTo(3, 0);
    await phone.context().close();
  });

  test.each([
    ["desk", { width: 1280, height: 900 }],
    ["phone", PHONE],
  ] as const)("what to do next is on the first screen of a %s", async (kind, viewport) => {
    const { tab } = await demo.open({ viewport });
    expect(await outOfSight(tab, "#choose", ".sample", ".card", ".card + .card", "#start")).toEqual([]);
    await tab.context().close();
    const made = (await result({ viewport })).tab;
    const parts = ["#stage", ".card", ".card + .card", "#save-one", "#start", "#format label"];
    if (kind === "desk") parts.push("#size label");
    expect(await outOfSight(made, ...parts)).toEqual([]);
    expect(await outOfSight(made, "#facts")).toEqual(["#facts"]);
    await made.context().close();
  });

  test("a phone keeps the picture in sight while choices scroll", async () => {
    const { tab } = await result({ viewport: PHONE, hasTouch: true, isMobile: true });
    await tab.locator("details").scrollIntoViewIfNeeded();
    for (const id of ["stage", "start"]) {
      const box = (await tab.locator(`#${id}`).boundingBox())!;
      expect(box.y).toBeGreaterThanOrEqual(0);
      expect(box.y + box.height).toBeLessThanOrEqual(PHONE.height);
    }
    expect((await tab.locator("#stage").boundingBox())!.height).toBeGreaterThan(250);
    await tab.context().close();
  });

  test.each([
    ["desktop", "light", DESK],
    ["desktop", "dark", DESK],
    ["phone", "light", PHONE],
    ["phone", "dark", PHONE],
  ] as const)("fits a %s, %s, and keeps nobody out", async (kind, colorScheme, viewport) => {
    const { tab, complaints } = await result({ viewport, colorScheme });
    expect(await tab.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
      viewport.width,
    );
    await tab.locator(".panel").evaluate((panel) => (panel.scrollTop = 0));
    expect(await fromStored(`${kind}-${colorScheme}`, await plainShot(tab))).toBeLessThan(ALLOWED);
    await tab.evaluate(() => (document.querySelector("details")!.open = true));
    await tab.check('[value="image/jpeg"]', { force: true });
    expect(await barriers(tab)).toEqual([]);
    expect(complaints).toEqual([]);
    await tab.context().close();
  });

  test.each(["light", "dark"] as const)(
    "keeps nobody out before there is a picture, %s",
    async (colorScheme) => {
      const { tab } = await demo.open({ viewport: PHONE, colorScheme });
      expect(await barriers(tab)).toEqual([]);
      await tab.context().close();
    },
  );

  test("the tools see what is wrong", async () => {
    const { tab } = await demo.open({ viewport: DESK });
    await demo.backend(tab);
    await tab.setInputFiles("#file", CAT);
    await tab.locator(".stage.filled").waitFor();
    await tab.getByText(/about/).first().waitFor();
    const before = await plainShot(tab);
    expect(await difference(before, await plainShot(tab))).toBe(0);
    await tab.addStyleTag({
      content: ".panel { background: var(--accent); } .card-purpose { color: #bbb; background: #ccc; }",
    });
    expect(await difference(before, await plainShot(tab))).toBeGreaterThan(ALLOWED);
    await tab.evaluate(() => document.querySelector("#in")!.removeAttribute("aria-label"));
    expect((await barriers(tab)).join()).toMatch(/color-contrast/);
    await tab.context().close();
  });
});
