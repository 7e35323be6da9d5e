/** The demo page, as it is published, in a real browser: pictures in, enlarged ones out. */
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { unzipSync } from "fflate";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { hasChromium, scratchFolder } from "./chromium.js";
import { CAT, demoSite, OWL, saved } from "./demo-page.js";

describe.skipIf(!hasChromium)("the demo page", () => {
  const demo = demoSite();

  test("enlarges a sample, says how and how long, and gives it for download", async () => {
    const { tab, complaints } = await demo.open({ viewport: { width: 1280, height: 800 } });
    expect(await tab.isDisabled("#start")).toBe(true);
    await demo.backend(tab);
    await tab.getByRole("button", { name: "Photo of a cat" }).click();
    // measured on a small tile, before anything is asked for
    await tab.getByText(/kB · (about .* s|about less than 1 s) here/).waitFor();
    expect(await tab.textContent("#result-size")).toBe("720 × 560 pixels");
    await demo.enlarge(tab);
    expect(await tab.textContent("#facts")).toMatch(/720 × 560 pixels.*Time.*wasm.*exact/s);
    const { name, bytes } = await saved(tab, "#save-one");
    expect(name).toBe("cat-4x.png");
    expect(await sharp(bytes).metadata()).toMatchObject({ format: "png", width: 720, height: 560 });
    // the button told its size
    expect(await tab.textContent("#save-one")).toBe(`Save PNG, ${Math.round(bytes.length / 1000)} kB`);
    expect(complaints).toEqual([]);
    await tab.context().close();
  });

  test("makes the size that was chosen, in the format that was chosen", async () => {
    const { tab } = await demo.open();
    await demo.backend(tab);
    await tab.setInputFiles("#file", CAT);
    await tab.check('[value="width"]', { force: true });
    await tab.fill("#width", "333");
    expect(await tab.textContent("#result-size")).toBe("333 × 259 pixels");
    await demo.enlarge(tab);
    await tab.check('[value="image/webp"]', { force: true });
    await tab.fill("#quality", "40");
    await tab.getByText(/Save WebP, \d/).waitFor();
    const small = (await saved(tab, "#save-one")).bytes.length;
    await tab.fill("#quality", "100");
    const { name, bytes } = await saved(tab, "#save-one");
    expect(name).toBe("cat-1.85x.webp");
    expect(await sharp(bytes).metadata()).toMatchObject({ format: "webp", width: 333, height: 259 });
    expect(bytes.length).toBeGreaterThan(2 * small);
    await tab.context().close();
  });

  test("transparency is kept, and has a colour under it in JPEG", async () => {
    const { tab } = await demo.open();
    await demo.backend(tab);
    await tab.setInputFiles("#file", OWL);
    await demo.enlarge(tab);
    const corner = async () => {
      const { bytes } = await saved(tab, "#save-one");
      return [...(await sharp(bytes).extract({ left: 0, top: 0, width: 1, height: 1 }).raw().toBuffer())];
    };
    expect((await corner())[3]).toBe(0);
    await tab.check('[value="image/jpeg"]', { force: true });
    expect(Math.min(...(await corner()))).toBeGreaterThan(250);
    await tab.fill("#colour", "#ff0000");
    const [red, green] = await corner();
    expect([red! > 240, green! < 15]).toEqual([true, true]);
    expect(
      await tab.evaluate(() => getComputedStyle(document.querySelector("#fill-under")!).backgroundColor),
    ).toBe("rgb(255, 0, 0)");
    await tab.context().close();
  });

  test("several files go one after the other into a zip; a bad one costs itself", async () => {
    const { tab } = await demo.open();
    await demo.backend(tab);
    const again = { name: "cat.jpg", mimeType: "image/jpeg", buffer: readFileSync(CAT) };
    const bad = { name: "bad.png", mimeType: "image/png", buffer: Buffer.from("nothing") };
    await tab.setInputFiles("#file", [{ ...bad }, { ...again }, { ...again }]);
    await tab.getByText("bad.png is no picture").first().waitFor();
    await tab.getByRole("button", { name: "Enlarge 2 pictures" }).click();
    await tab.getByText("Done: all 2.").waitFor();
    const { name, bytes } = await saved(tab, "#save-all");
    expect(name).toBe("enlarged.zip");
    const files = unzipSync(new Uint8Array(bytes));
    expect(Object.keys(files)).toEqual(["cat-4x.png", "cat-4x (2).png"]);
    expect((await sharp(files["cat-4x (2).png"]).metadata()).width).toBe(720);
    await tab.context().close();
  });

  test("what is chosen while it works counts from the next picture on", async () => {
    const { tab } = await demo.open();
    await demo.backend(tab);
    await demo.model(tab, "tiny, deep");
    await tab.setInputFiles("#file", [OWL, CAT]);
    await tab.getByText("2 more pictures are in the list.").waitFor();
    await tab.click("#start");
    await tab.getByText("Enlarging owl.png").waitFor();
    await tab.check('#size [value="2"]', { force: true });
    await demo.model(tab, "tiny");
    await tab.getByText("Done: all 2.").waitFor();
    expect(await tab.locator(".queue .state").allTextContents()).toEqual([
      "done, 512 × 512 pixels",
      "done, 360 × 280 pixels",
    ]);
    await tab.context().close();
  });

  test("stops when told to, and can go on", async () => {
    const { tab } = await demo.open();
    await demo.backend(tab, "cpu");
    await demo.model(tab, "tiny, deep");
    await tab.setInputFiles("#file", CAT);
    await tab.click("#start");
    await tab.getByText("Enlarging cat.jpg").waitFor();
    // the focus stays on the button, which now stops
    expect(await tab.evaluate(() => document.activeElement?.textContent)).toBe("Stop");
    await tab.keyboard.press("Escape");
    await tab.getByText("Stopped.").waitFor();
    expect(await tab.evaluate(() => document.activeElement?.textContent)).toBe("Enlarge");
    expect(await tab.isEnabled("#start")).toBe(true);
    await tab.context().close();
  });

  test("a folder's pictures, in its subfolders too, keep their places in the zip", async () => {
    const { tab } = await demo.open();
    await demo.backend(tab);
    const folder = join(scratchFolder(), "trip");
    mkdirSync(join(folder, "day two"), { recursive: true });
    for (const place of ["cat.jpg", "day two/cat.jpg", "notes.txt", ".hidden.jpg"])
      copyFileSync(CAT, join(folder, place));
    await tab.setInputFiles("#pictures", folder);
    await tab.getByRole("button", { name: "Enlarge 2 pictures" }).click();
    await tab.getByText("Done: all 2.").waitFor();
    const files = unzipSync(new Uint8Array((await saved(tab, "#save-all")).bytes));
    expect(Object.keys(files).sort()).toEqual(["trip/cat-4x.png", "trip/day two/cat-4x.png"]);
    await tab.context().close();
  });

  test("a result that no canvas holds is found before it is computed", async () => {
    const { tab } = await demo.open();
    await demo.backend(tab);
    const wide = await sharp({ create: { width: 5000, height: 2, channels: 3, background: "red" } })
      .png()
      .toBuffer();
    await tab.setInputFiles("#file", { name: "wide.png", mimeType: "image/png", buffer: wide });
    await tab.click("#start");
    await tab.getByText("The result would be 20000 × 8 pixels").first().waitFor();
    await tab.getByRole("button", { name: "Make it 16384 pixels wide" }).click();
    expect(await tab.textContent("#result-size")).toBe("16384 × 7 pixels");
    await demo.enlarge(tab);
    await tab.context().close();
  });

  test("and is saved all the same, though nobody sees it", async () => {
    const { tab, complaints } = await demo.open();
    await demo.backend(tab);
    const pixels = Buffer.alloc(3 * 4200 * 3, "some pixels that differ");
    const wide = await sharp(pixels, { raw: { width: 4200, height: 3, channels: 3 } })
      .png()
      .toBuffer();
    await tab.setInputFiles("#file", { name: "wide.png", mimeType: "image/png", buffer: wide });
    await tab.click("#start");
    await tab.getByRole("button", { name: "Make it all the same" }).click();
    await tab.click("#start");
    await tab.getByText("It can be saved as PNG").waitFor();
    const { name, bytes } = await saved(tab, "#save-one");
    expect(name).toBe("wide-4x.png");
    expect(await sharp(bytes).metadata()).toMatchObject({ width: 16800, height: 12 });
    await tab.check('[value="image/jpeg"]', { force: true });
    await tab.getByText("It cannot be written as JPEG").waitFor();
    expect(complaints).toEqual([]);
    await tab.context().close();
  });

  test("says what is wrong with a file", async () => {
    const { tab } = await demo.open();
    for (const [name, mimeType, content, text] of [
      ["a.png", "image/png", "nothing", "a.png is no picture that this browser can open"],
      ["b.png", "image/png", "", "b.png is empty"],
      ["c.heic", "", "\0\0\0\x18ftypheic", "c.heic is a HEIC photo, which this browser cannot open"],
      ["d.tif", "image/tiff", "II*\0", "d.tif is a TIFF or a raw photo"],
    ] as const) {
      await tab.setInputFiles("#file", { name, mimeType, buffer: Buffer.from(content, "latin1") });
      await tab.locator("#alarm", { hasText: text }).waitFor();
    }
    await tab.context().close();
  });

  test("an SVG is drawn at its own size", async () => {
    const { tab } = await demo.open();
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"><rect width="9" height="9"/></svg>';
    await tab.setInputFiles("#file", { name: "a.svg", mimeType: "image/svg+xml", buffer: Buffer.from(svg) });
    await tab.getByText("a.svg: 30 × 20 pixels.").waitFor();
    await tab.context().close();
  });

  test("works offline after the first visit, and isolates itself", async () => {
    const { tab } = await demo.open();
    await tab.evaluate(() => navigator.serviceWorker.ready.then(() => true));
    await tab.reload();
    await tab.locator(".card").first().waitFor();
    expect(await tab.evaluate(() => crossOriginIsolated)).toBe(true);
    const once = async () => {
      await demo.backend(tab);
      await demo.model(tab, "tiny");
      await tab.setInputFiles("#file", CAT);
      await demo.enlarge(tab);
    };
    await once();
    await tab.context().setOffline(true);
    await tab.reload();
    await tab.locator(".card").first().waitFor();
    await once();
    expect(await tab.textContent("#facts")).toMatch(/as requested; kernels with relaxed SIMD; \d threads/);
    await tab.context().close();
  });

  test("a full store is no fault", async () => {
    const { tab, complaints } = await demo.open();
    await tab.evaluate(() => navigator.serviceWorker.ready.then(() => true));
    const session = await tab.context().newCDPSession(tab);
    await session.send("Storage.overrideQuotaForOrigin", { origin: demo.site.url, quotaSize: 1000 });
    await tab.reload();
    await demo.backend(tab);
    await demo.model(tab, "tiny, deep"); // never fetched before
    await tab.setInputFiles("#file", OWL);
    await demo.enlarge(tab);
    expect(complaints).toEqual([]);
    await tab.context().close();
  });
});
