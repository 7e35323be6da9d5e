/** What a program for Node may write, and what the compiler must refuse; see page.ts. */
import { Upscaler } from "tfjs-esrgan";
import type { NodeResult, Picture } from "tfjs-esrgan";

export async function use(picture: Picture): Promise<void> {
  await using upscaler = await Upscaler.load("model", { backend: "tensorflow", cache: "folder" });
  await Upscaler.load(new URL("https://example.org/model.json"), { cache: false });
  await Upscaler.load(undefined, { request: { headers: { Authorization: "Bearer" } } });
  await upscaler.upscale({ width: 1, height: 1, data: Buffer.alloc(4) }, { scale: 3 });
  const result: NodeResult = await upscaler.upscale(picture, { tile: "exact", alpha: "drop" });
  const image: Picture = result.image;
  console.log(image.data.length, result.exact, result.divided);

  // @ts-expect-error: a worker is a page's
  await Upscaler.load("model", { worker: true });
  // @ts-expect-error: bytes come back here, no canvas
  await upscaler.upscale(picture, { output: "canvas" });
  // @ts-expect-error: a picture has bytes
  await upscaler.upscale({ width: 1, height: 1 });
}
