/** Pictures that stay on the GPU, here one that Chromium's SwiftShader emulates: the same pixels as the other way. */
import type { Browser, Page as Tab } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bytesOf, testPicture, worst } from "../fixtures.js";
import { hasChromium, launch, WEBGPU } from "./chromium.js";
import { close, fixturePage, openPage, toSend } from "./page.js";

const STAYED = /, all on the GPU$/;

describe.skipIf(!hasChromium)("on an emulated GPU in Chromium", () => {
  const page = fixturePage();
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch(WEBGPU);
  });
  afterAll(async () => {
    await browser?.close();
  });

  /** A tab with a GPU, or undefined where this browser emulates none. */
  async function open(before?: () => void): Promise<Tab | undefined> {
    const tab = await openPage(browser, page.site, before);
    if (await tab.evaluate(async () => (await navigator.gpu?.requestAdapter()) !== null)) return tab;
    console.error("no WebGPU adapter in this browser: nothing is compared");
    await close(tab);
    return undefined;
  }

  test.each([
    ["compact-x4", 33, 21],
    ["rrdb-x4", 30, 22],
    ["rrdb-x2", 19, 13], // folded, and of odd size
    ["span-x2", 24, 17],
  ] as const)("%s: from every source to a bitmap and a canvas", async (model, width, height) => {
    const tab = await open();
    if (!tab) return;
    const found = await tab.evaluate(
      async ({ model, one }) => {
        const upscaler = await esrgan.Upscaler.load(`models/${model}/model.json`, {
          backend: "webgpu",
          engine: "kernels",
        });
        const data = esrgan.picture(one);
        const changed = (change: (pixel: Uint8ClampedArray) => void) => {
          const copy = new ImageData(data.data.slice(), data.width, data.height);
          for (let i = 0; i < copy.data.length; i += 4) change(copy.data.subarray(i, i + 4));
          return copy;
        };
        const canvas = new OffscreenCanvas(data.width, data.height);
        canvas.getContext("2d")!.putImageData(data, 0, 0);
        const sources = {
          bitmap: await createImageBitmap(data),
          blob: await canvas.convertToBlob(),
          canvas,
          frame: new VideoFrame(canvas, { timestamp: 0 }),
          gray: await createImageBitmap(changed((pixel) => pixel.fill(pixel[0]!, 0, 3))),
          clear: await createImageBitmap(
            changed((pixel) => pixel.set([200, 100, 50, 128])),
            { premultiplyAlpha: "none" },
          ),
          flat: await createImageBitmap(changed((pixel) => pixel.set([200, 100, 50]))),
        };
        const pixelsOf = (image: ImageBitmap | HTMLCanvasElement) => {
          const context = new OffscreenCanvas(image.width, image.height).getContext("2d")!;
          context.drawImage(image, 0, 0);
          return esrgan.sent(context.getImageData(0, 0, image.width, image.height));
        };
        const results = [];
        for (const [name, source] of Object.entries(sources)) {
          const shares: number[] = [];
          const bitmap = await upscaler.upscale(source, {
            output: "bitmap",
            onProgress: (share) => shares.push(share),
          });
          const drawn = await upscaler.upscale(source, { output: "canvas" });
          const usual = await upscaler.upscale(source);
          const { exact, engine, backend, width, height } = bitmap;
          results.push({
            name,
            plans: [bitmap.plan, drawn.plan, usual.plan],
            account: { exact, engine, backend, width, height },
            pixels: [pixelsOf(bitmap.image), pixelsOf(drawn.image), esrgan.sent(usual.image)],
            shares,
          });
        }
        // all but pixels in a bitmap, and other sizes than the network's, go the other way
        const pixels = await upscaler.upscale(data, { output: "bitmap" });
        const small = await upscaler.upscale(sources.bitmap, { output: "bitmap", width: 40 });
        const others = [pixels.plan, small.plan, small.image.width];
        await upscaler.dispose();
        return { results, others, scale: upscaler.info.scale };
      },
      { model, one: toSend(testPicture(width, height)) },
    );
    await close(tab);
    const { scale } = found;
    expect(found.results).toHaveLength(7);
    for (const { name, plans, account, pixels, shares } of found.results) {
      const stays = name !== "clear" && name !== "flat";
      expect(
        plans.map((plan) => STAYED.test(plan)),
        name,
      ).toEqual([stays, stays, false]);
      expect(account).toEqual({
        exact: true,
        engine: "kernels",
        backend: "webgpu",
        width: scale * width,
        height: scale * height,
      });
      const [bitmap, canvas, usual] = pixels.map(({ data }) => bytesOf(data));
      // half-way cases may be rounded otherwise; a transparent one is multiplied by alpha where it is drawn
      expect(worst(bitmap!, usual!), name).toBeLessThanOrEqual(name === "clear" ? 2 : 1);
      expect(bitmap!.filter((value, at) => value !== usual![at]).length / usual!.length, name).toBeLessThan(
        name === "clear" ? 1 : 1e-3,
      );
      if (stays) expect(worst(bitmap!, canvas!), name).toBe(0);
      expect(shares.at(-1), name).toBe(1);
    }
    expect(found.others[0]).not.toMatch(STAYED);
    expect(found.others[1]).not.toMatch(STAYED);
    expect(found.others[2]).toBe(40);
  });

  test("200 bitmaps leave no buffer and no texture behind, nor do aborts", async () => {
    const tab = await open();
    if (!tab) return;
    const found = await tab.evaluate(
      async (one) => {
        const alive = new Set<GPUBuffer | GPUTexture>();
        for (const kind of ["createBuffer", "createTexture"] as const) {
          const create = GPUDevice.prototype[kind] as (
            this: GPUDevice,
            given: never,
          ) => GPUBuffer | GPUTexture;
          Object.assign(GPUDevice.prototype, {
            [kind](this: GPUDevice, given: never) {
              const made = create.call(this, given);
              alive.add(made);
              const destroy = made.destroy.bind(made);
              Object.assign(made, {
                destroy() {
                  alive.delete(made);
                  destroy();
                },
              });
              return made;
            },
          });
        }
        // in the page's thread, where they can be counted
        const upscaler = await esrgan.Inline.load("models/compact-x4/model.json", {
          backend: "webgpu",
          engine: "kernels",
        });
        const bitmap = await createImageBitmap(esrgan.picture(one));
        const counts: number[] = [];
        const ask = async (signal?: AbortSignal, onProgress?: () => void) => {
          const { image } = await upscaler.upscale(bitmap, { output: "bitmap", signal, onProgress });
          image.close();
        };
        await ask();
        counts.push(alive.size);
        for (let call = 0; call < 200; call++) await ask();
        counts.push(alive.size);
        let aborted = 0;
        for (let call = 0; call < 5; call++) {
          const abort = new AbortController();
          await ask(abort.signal, () => abort.abort()).catch(() => aborted++);
        }
        counts.push(alive.size);
        await ask();
        await upscaler.dispose();
        return { counts, aborted, left: alive.size };
      },
      toSend(testPicture(12, 9)),
    );
    await close(tab);
    expect(found.counts[0]).toBeGreaterThan(0);
    expect(found.counts[1]).toBe(found.counts[0]);
    expect(found.counts[2]).toBe(found.counts[0]);
    expect(found.aborted).toBe(5);
    expect(found.left).toBe(0);
  }, 120_000);

  test("a device that is lost while it draws: the picture is right all the same", async () => {
    const tab = await open();
    if (!tab) return;
    const found = await tab.evaluate(
      async (one) => {
        const devices: GPUDevice[] = [];
        const request = GPUAdapter.prototype.requestDevice;
        GPUAdapter.prototype.requestDevice = async function (...given) {
          const device = await request.apply(this, given);
          devices.push(device);
          return device;
        };
        const upscaler = await esrgan.Inline.load("models/rrdb-x4/model.json", {
          backend: "webgpu",
          engine: "kernels",
        });
        const bitmap = await createImageBitmap(esrgan.picture(one));
        const usual = await upscaler.upscale(bitmap);
        let lost = 0;
        const lose = () => {
          if (lost++ === 0) devices.at(-1)!.destroy();
        };
        const result = await upscaler.upscale(bitmap, { output: "bitmap", onProgress: lose });
        const context = new OffscreenCanvas(result.width, result.height).getContext("2d")!;
        context.drawImage(result.image, 0, 0);
        const { exact, divided, engine } = result;
        const again = await upscaler.upscale(bitmap, { output: "bitmap" });
        await upscaler.dispose();
        return {
          account: { exact, divided, engine, devices: devices.length },
          again: again.plan,
          pixels: esrgan.sent(context.getImageData(0, 0, result.width, result.height)).data,
          usual: esrgan.sent(usual.image).data,
        };
      },
      toSend(testPicture(60, 40)),
    );
    await close(tab);
    expect(found.account).toEqual({ exact: true, divided: 0, engine: "kernels", devices: 2 });
    expect(worst(bytesOf(found.pixels), bytesOf(found.usual))).toBeLessThanOrEqual(1);
    expect(found.again).toMatch(STAYED);
  });
});
