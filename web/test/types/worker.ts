/** A module worker's own program: no page, and no types of one. */
import { Upscaler } from "tfjs-esrgan";

export async function use(file: Blob): Promise<Blob> {
  const upscaler = await Upscaler.load(undefined, { worker: false });
  const { image } = await upscaler.upscale(file, { output: "blob", type: "image/webp" });
  await upscaler.dispose();
  return image;
}
