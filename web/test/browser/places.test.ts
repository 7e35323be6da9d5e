/** Where people put the library: workers of their own, strict policies, old browsers, models from everywhere. */
import { describe, expect, test } from "vitest";
import { hasChromium } from "./chromium.js";
import { close, fixturePage } from "./page.js";

const MODEL = "models/compact-x4/model.json";

describe.skipIf(!hasChromium)("in Chromium", () => {
  const page = fixturePage();
  const policy = (text: string) => page.serve({ headers: { "Content-Security-Policy": text } });

  test.each([true, false])(
    "in a module worker of the user's, with a worker of its own: %s",
    async (worker) => {
      const tab = await page.open();
      const found = await tab.evaluate(
        async ({ worker, model }) => {
          const ask = (message: unknown) =>
            new Promise((resolve) => {
              const own = esrgan.ownWorker();
              own.onmessage = ({ data }) => {
                resolve(data);
                own.terminate();
              };
              own.postMessage(message);
            });
          return [await ask({ worker }), await ask({ worker, model })];
        },
        { worker, model: new URL(MODEL, `${page.site.url}/`).href },
      );
      expect(found).toEqual(Array(2).fill(["image/png", 20, "OptionError"]));
      await close(tab);
    },
  );

  test.each(["OffscreenCanvas", "Worker"] as const)("without %s", async (missing) => {
    const tab = await page.open(
      page.site,
      missing === "Worker"
        ? () => Reflect.deleteProperty(globalThis, "Worker")
        : () => Reflect.deleteProperty(globalThis, "OffscreenCanvas"),
    );
    const found = await tab.evaluate(async (model) => {
      const upscaler = await esrgan.Upscaler.load(model);
      const blob = await new Promise<Blob | null>((resolve) => {
        const canvas = document.createElement("canvas");
        canvas.width = canvas.height = 3;
        canvas.toBlob(resolve);
      });
      const { image } = await upscaler.upscale(blob!, { output: "blob", type: "image/jpeg" });
      return [
        image.type,
        (await createImageBitmap(image)).width,
        /in the page's thread, because/.test(upscaler.reason),
      ];
    }, MODEL);
    expect(found).toEqual(["image/jpeg", 12, missing === "Worker"]);
    await close(tab);
  });

  test("a policy without WebAssembly and blob: another backend, or an error that names what is missing", async () => {
    const place = await policy("default-src 'self'");
    const tab = await page.open(place);
    const found = await tab.evaluate(
      async (model) => [
        await esrgan.Upscaler.load(model).then(({ backend }) => backend),
        await esrgan.failure(esrgan.Upscaler.load(model, { backend: "wasm" })),
      ],
      MODEL,
    );
    expect(["webgl", "cpu"]).toContain(found[0]);
    expect(found[1]).toMatch(/^BackendError: .*'wasm-unsafe-eval'/);
    await close(tab);
    await place.close();
  });

  test("a policy without blob: one thread, and the directive that would give more", async () => {
    const place = await policy("default-src 'self'; script-src 'self' 'wasm-unsafe-eval'");
    const tab = await page.open(place);
    const found = await tab.evaluate(async (model) => {
      const reasonOf = async (engine: "kernels" | "tfjs") =>
        (await esrgan.Upscaler.load(model, { backend: "wasm", engine })).reason;
      return [crossOriginIsolated, await reasonOf("kernels"), await reasonOf("tfjs")];
    }, MODEL);
    expect(found[0]).toBe(true);
    expect(found[1]).toMatch(
      /1 thread; the page's Content-Security-Policy forbids it and must allow: \S+ blob:/,
    );
    expect(found[2]).toMatch(/; 1 thread/);
    await close(tab);
    await place.close();
  });

  test("a policy without workers: the page's thread", async () => {
    const place = await policy("default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'");
    const tab = await page.open(place);
    const reason = await tab.evaluate(
      async (model) => (await esrgan.Upscaler.load(model, { backend: "wasm" })).reason,
      MODEL,
    );
    expect(reason).toMatch(/in the page's thread, because the worker does not start.*worker-src/);
    await close(tab);
    await place.close();
  });

  test("models from IndexedDB, from blobs and addresses by name, and by a fetch of the user's", async () => {
    const tab = await page.open();
    const found = await tab.evaluate(async (model) => {
      const { Upscaler, loadGraphModel, tf, failure } = esrgan;
      await tf.setBackend("cpu");
      const none = await failure(Upscaler.load("indexeddb://mine", { backend: "cpu" }));
      await (await loadGraphModel(model)).save("indexeddb://mine");
      const name = async (source: Parameters<typeof Upscaler.load>[0], options = {}) =>
        (await Upscaler.load(source, { backend: "cpu", cache: false, ...options })).info.name;
      const shard = new URL("models/compact-x4/group1-shard1of1.bin", location.href);
      const manifest = await (await fetch(model)).blob();
      const asked: string[] = [];
      const own = (address: string, options: object) => {
        asked.push(address.replace(/.*\//, ""));
        return fetch(address, options);
      };
      return {
        none,
        saved: await name("indexeddb://mine"),
        named: await name({ "model.json": manifest, "group1-shard1of1.bin": shard }),
        blobs: await name({
          "model.json": URL.createObjectURL(manifest),
          "group1-shard1of1.bin": await (await fetch(shard)).blob(),
        }),
        own: await name(model, { fetch: own }),
        asked,
        alone: await failure(Upscaler.load(URL.createObjectURL(manifest), { backend: "cpu" })),
      };
    }, MODEL);
    const name = "test-compact-x4";
    expect(found).toMatchObject({ saved: name, named: name, blobs: name, own: name });
    expect(found.asked).toEqual(["model.json", "group1-shard1of1.bin"]);
    expect(found.none).toMatch(/^DownloadError: this site has saved no model as indexeddb:\/\/mine/);
    expect(found.alone).toMatch(/^DownloadError: .* give each file's address/);
    await close(tab);
  });

  test("a model that was loaded once is there without a network", async () => {
    const tab = await page.open();
    const load = () =>
      tab.evaluate(
        async (model) => (await esrgan.Upscaler.load(model, { backend: "cpu", worker: false })).info.name,
        MODEL,
      );
    expect(await load()).toBe("test-compact-x4");
    await tab.context().setOffline(true);
    expect(await load()).toBe("test-compact-x4");
    const other = await tab.evaluate(() =>
      esrgan.failure(esrgan.Upscaler.load("models/rrdb-x2/model.json", { worker: false })),
    );
    expect(other).toMatch(/^DownloadError: .*cannot be fetched/);
    await close(tab);
  });
});
