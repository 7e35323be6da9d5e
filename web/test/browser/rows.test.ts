/** By rows in a real browser: a picture for which the allowance does not suffice otherwise. */
import { describe, expect, test } from "vitest";
import { bytesOf, testPicture, worst } from "../fixtures.js";
import { hasChromium } from "./chromium.js";
import { close, fixturePage, toSend } from "./page.js";

describe.skipIf(!hasChromium)("by rows in Chromium", () => {
  const page = fixturePage();

  test.each([true, false])(
    "equal to the untiled picture, in a worker: %s; an abort is heeded",
    async (worker) => {
      const tab = await page.open();
      const found = await tab.evaluate(
        async ({ one, worker }) => {
          const load = (memory?: number) =>
            esrgan.Upscaler.load("models/compact-x4/model.json", {
              backend: "wasm",
              engine: "kernels",
              worker,
              memory,
            });
          const picture = esrgan.picture(one);
          const little = await load(27_000_000);
          const abort = new AbortController();
          const stopped = await little
            .upscale(picture, { signal: abort.signal, onTile: () => abort.abort(new Error("enough")) })
            .then(
              () => "finished",
              (error: unknown) => (error as Error).message,
            );
          const tops: number[] = [];
          const rows = await little.upscale(picture, { onTile: ({ top }) => tops.push(top) });
          await little.dispose();
          const usual = await load();
          const whole = await usual.upscale(picture);
          await usual.dispose();
          const parts = { stopped, tops, plan: rows.plan, exact: rows.exact, usual: whole.plan };
          return { ...parts, images: [esrgan.sent(rows.image).data, esrgan.sent(whole.image).data] };
        },
        { one: toSend(testPicture(61, 803)), worker },
      );
      expect(found.stopped).toBe("enough");
      expect(found.plan).toMatch(/^whole picture by rows, exact, about \d+ MiB/);
      expect(found.usual).toMatch(/^whole picture, exact/);
      expect(found.exact).toBe(true);
      expect(found.tops.length).toBeGreaterThan(2);
      expect(found.tops).toEqual([...found.tops].sort((a, b) => a - b));
      const [rows, whole] = found.images.map(bytesOf);
      expect(worst(rows!, whole!)).toBeLessThanOrEqual(1);
      await close(tab);
    },
  );
});
