/** Right pixels from every kind of source, and errors that say what to do where there are none. */
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { hasChromium } from "./chromium.js";
import { close, fixturePage } from "./page.js";

const MODEL = "models/compact-x4/model.json";
const GREEN_P3 = [0, 255, 0, 255]; // of Display P3: sRGB has no such green

describe.skipIf(!hasChromium)("pictures in Chromium", () => {
  const page = fixturePage();

  test("colours stay in the space in which they are given", async () => {
    const tab = await page.open();
    const found = await tab.evaluate(
      async ({ model, green }) => {
        const upscaler = await esrgan.Upscaler.load(model, { backend: "cpu", worker: false });
        const colorSpace = "display-p3" as const;
        const data = new ImageData(2, 2, { colorSpace });
        for (let pixel = 0; pixel < 4; pixel++) data.data.set(green, 4 * pixel);
        const canvas = document.createElement("canvas");
        canvas.width = canvas.height = 2;
        canvas.getContext("2d", { colorSpace })!.putImageData(data, 0, 0);
        const told = ({ colorSpace, data }: ImageData) => [colorSpace, ...data.slice(0, 4)];
        const asBlob = await upscaler.upscale(data, { output: "blob" });
        // read back as Display P3, the file's profile brings the same numbers
        const back = new OffscreenCanvas(8, 8).getContext("2d", { colorSpace })!;
        back.drawImage(await createImageBitmap(asBlob.image), 0, 0);
        const drawn = await upscaler.upscale(data, { output: "canvas" });
        return [
          told((await upscaler.upscale(data)).image),
          told((await upscaler.upscale(canvas)).image),
          told(back.getImageData(0, 0, 1, 1, { colorSpace })),
          told(drawn.image.getContext("2d")!.getImageData(0, 0, 1, 1, { colorSpace })),
          told((await upscaler.upscale(await createImageBitmap(canvas), { colorSpace })).image),
          told((await upscaler.upscale(await createImageBitmap(canvas))).image),
        ];
      },
      { model: MODEL, green: GREEN_P3 },
    );
    expect(found.slice(0, 5)).toEqual(Array(5).fill(["display-p3", ...GREEN_P3]));
    // a bitmap does not tell: the browser converts it to sRGB
    expect(found[5]).toEqual(["srgb", 0, 255, 0, 255]);
    await close(tab);
  });

  test("colours under transparency are those of the file, where it is a file that is given", async () => {
    const tab = await page.open();
    // what is nearly clear, beside what is not
    const data = Uint8Array.from({ length: 4 * 32 * 32 }, (_, at) =>
      at % 4 === 3 ? (at * at) % 256 : (at * 91) % 256,
    );
    const file = await sharp(data, { raw: { width: 32, height: 32, channels: 4 } })
      .png()
      .toBuffer();
    const found = await tab.evaluate(
      async ({ model, bytes, png }) => {
        const upscaler = await esrgan.Upscaler.load(model, { backend: "wasm", cache: false });
        const given = { width: 32, height: 32, data: Uint8ClampedArray.from(bytes) };
        const exact = (await upscaler.upscale(given, { output: "raw" })).image.data;
        const worst = async (source: Blob | HTMLImageElement | HTMLCanvasElement) => {
          const { data } = (await upscaler.upscale(source, { output: "raw" })).image;
          return data.reduce((most, value, at) => Math.max(most, Math.abs(value - exact[at]!)), 0);
        };
        const blob = await (await fetch(png)).blob();
        const image = new Image();
        image.src = png;
        await image.decode();
        const canvas = document.createElement("canvas");
        canvas.width = canvas.height = 32;
        canvas.getContext("2d")!.putImageData(new ImageData(given.data, 32, 32), 0, 0);
        return [await worst(blob), await worst(image), await worst(canvas)];
      },
      { model: MODEL, bytes: [...data], png: `data:image/png;base64,${file.toString("base64")}` },
    );
    expect(found.slice(0, 2)).toEqual([0, 0]);
    // a canvas has forgotten them before it is given
    expect(found[2]).toBeGreaterThan(10);
    await close(tab);
  });

  test("floats, SVG with and without a size, video frames, and white under a JPEG", async () => {
    const tab = await page.open();
    const found = await tab.evaluate(async (model) => {
      const upscaler = await esrgan.Upscaler.load(model, { backend: "wasm" });
      const first = async (source: Parameters<typeof upscaler.upscale>[0], options = {}) => {
        const { image, width, height } = await upscaler.upscale(source, options);
        return [width, height, ...image.data.slice(0, 4)];
      };
      const svg = (size: string) =>
        new Blob(
          [
            `<svg xmlns="http://www.w3.org/2000/svg" ${size}><rect width="100%" height="100%" fill="#804020"/></svg>`,
          ],
          { type: "image/svg+xml" },
        );
      const image = new Image(6, 6);
      image.src = URL.createObjectURL(svg('viewBox="0 0 100 100"'));
      await image.decode();
      const canvas = new OffscreenCanvas(4, 3);
      canvas.getContext("2d")!.fillRect(0, 0, 4, 3);
      const frame = new VideoFrame(canvas, { timestamp: 0 });
      const half = { width: 1, height: 1, data: Float32Array.of(0.5, 1, -1, 1) };
      const clear = await upscaler.upscale(new ImageData(2, 2), { output: "blob", type: "image/jpeg" });
      const bitmap = await createImageBitmap(clear.image);
      const context = new OffscreenCanvas(8, 8).getContext("2d")!;
      context.drawImage(bitmap, 0, 0);
      return {
        floats: await first(half),
        svg: await first(svg('width="7" height="3"')),
        sizeless: await first(image),
        frame: await first(frame),
        jpeg: [...context.getImageData(3, 3, 1, 1).data],
        sized: [
          await first(new ImageData(10, 20), { scale: 1.5 }),
          await first(new ImageData(10, 20), { width: 30 }),
          await first(new ImageData(10, 20), { width: 30, height: 30 }),
        ].map((result) => result.slice(0, 2)),
      };
    }, MODEL);
    expect(found).toEqual({
      floats: [4, 4, 128, 255, 0, 255],
      svg: [28, 12, 128, 64, 32, 255],
      sizeless: [24, 24, 128, 64, 32, 255],
      frame: [16, 12, 0, 0, 0, 255],
      jpeg: [255, 255, 255, 255],
      sized: [
        [15, 30],
        [30, 60],
        [15, 30],
      ],
    });
    await close(tab);
  });

  test("what a camera wrote into a file is in the result too", async () => {
    const raw = { width: 6, height: 4, channels: 3 } as const;
    const camera = await sharp(Buffer.alloc(72, 90), { raw })
      .withMetadata({ orientation: 6 })
      .withExifMerge({ IFD0: { Copyright: "somebody" } })
      .jpeg()
      .toBuffer();
    const tab = await page.open();
    for (const type of ["image/jpeg", "image/png", "image/webp"] as const) {
      const bytes = await tab.evaluate(
        async ({ model, camera, type }) => {
          const upscaler = await esrgan.Upscaler.load(model, { backend: "cpu", worker: false });
          const { image } = await upscaler.upscale(new Blob([new Uint8Array(camera)]), {
            output: "blob",
            type,
          });
          return [...new Uint8Array(await image.arrayBuffer())];
        },
        { model: MODEL, camera: [...camera], type },
      );
      const made = await sharp(Buffer.from(bytes)).metadata();
      expect(made).toMatchObject({ width: 16, height: 24, orientation: 1 });
      expect(made.exif!.toString("latin1")).toContain("somebody");
    }
    await close(tab);
  });

  test("what is no picture, or none that the page may read, is an error of the library's", async () => {
    const far = await page.serve({ isolated: false });
    const plain = await page.serve({ isolated: false });
    const tab = await page.open(plain);
    const found = await tab.evaluate(
      async ({ model, far }) => {
        const upscaler = await esrgan.Upscaler.load(model, { backend: "cpu" });
        const failure = (source: unknown, options = {}) =>
          esrgan.failure(upscaler.upscale(source as ImageData, options));
        const image = (src: string) => Object.assign(new Image(), { src });
        const broken = image("data:image/png;base64,AAAA");
        const tainted = image(far);
        await tainted.decode();
        const canvas = document.createElement("canvas");
        canvas.getContext("2d")!.drawImage(tainted, 0, 0);
        const some = new ImageData(2, 2);
        return [
          await failure(null),
          await failure("photo.png"),
          await failure(broken),
          await failure(new Image()),
          await failure(tainted),
          await failure(canvas),
          await failure(document.createElement("video")),
          await failure(new Blob(["text"])),
          await failure({ width: 2, height: 2, data: new Uint16Array(16) }),
          await failure({ width: 3, height: 2, data: new Uint8Array(4) }),
          await failure(some, { output: "blob", quality: 90 }),
          await failure(some, { output: "blob", type: "image/gif" }),
          await failure(some, { scale: 99 }),
          await failure(some, { scale: 2, width: 3 }),
        ];
      },
      { model: MODEL, far: `${far.url}/photo.jpg` },
    );
    expect(found).toEqual([
      expect.stringMatching(/not null$/),
      expect.stringMatching(/not string; fetch the address/),
      expect.stringMatching(/cannot read this image \(a data: address\)/),
      expect.stringMatching(/it has no src/),
      expect.stringMatching(/from another site.*crossorigin="anonymous"/),
      expect.stringMatching(/from another site/),
      expect.stringMatching(/no picture yet; wait for its event "loadeddata"/),
      expect.stringMatching(/the browser cannot read this picture/),
      expect.stringMatching(/not a Uint16Array/),
      expect.stringMatching(/3.* have 24 values in RGBA, but data has 4/),
      expect.stringMatching(/quality must be a number from 0 to 1, not 90/),
      expect.stringMatching(/type must be one of/),
      expect.stringMatching(/scale must be above 0 and at most 32/),
      expect.stringMatching(/give only one of them/),
    ]);
    for (const text of found) expect(text).toMatch(/^OptionError: /);
    await close(tab);
    await far.close();
    await plain.close();
  });

  test("disposing twice, or while it works, resolves; a second wasmPaths after a wrong one is right", async () => {
    const tab = await page.open();
    const found = await tab.evaluate(async (model) => {
      const { Upscaler, failure } = esrgan;
      const upscaler = await Upscaler.load(model, { backend: "wasm" });
      const work = failure(upscaler.upscale(new ImageData(300, 300)));
      const ends = await Promise.all([upscaler.dispose(), upscaler.dispose()]);
      await upscaler.dispose();
      const options = { backend: "wasm", engine: "tfjs", worker: false } as const;
      const wrong = await failure(Upscaler.load(model, { ...options, wasmPaths: "nowhere/" }));
      const right = await Upscaler.load(model, { ...options, wasmPaths: "wasm/" });
      return [
        await work,
        ends.length,
        await failure(upscaler.upscale(new ImageData(1, 1))),
        wrong,
        right.backend,
      ];
    }, MODEL);
    expect(found[0]).toMatch(/^(none|EsrganError: .*disposed)/);
    expect(found.slice(1)).toEqual([
      2,
      expect.stringMatching(/^EsrganError: this Upscaler was disposed/),
      expect.stringMatching(/^BackendError: .*nowhere.*answered 404.*dist\/page\/wasm/),
      "wasm",
    ]);
    await close(tab);
  });

  test("progress counts bytes, and of a flat picture too", async () => {
    const tab = await page.open();
    const found = await tab.evaluate(async (model) => {
      const told: { phase: string; bytes: number; totalBytes: number }[] = [];
      const upscaler = await esrgan.Upscaler.load(model, {
        cache: false,
        onProgress: (news) => told.push(news),
      });
      const shares: number[] = [];
      await upscaler.upscale(new ImageData(4, 4), { onProgress: (share) => shares.push(share) });
      const downloads = told.filter(({ phase }) => phase === "download");
      return {
        first: downloads[0]!.bytes,
        last: downloads.at(-1)!.bytes,
        total: told[0]!.totalBytes,
        shares,
      };
    }, MODEL);
    expect(found).toEqual({ first: 0, last: found.total, total: found.total, shares: [1] });
    expect(found.total).toBeGreaterThan(1000);
    await close(tab);
  });
});
