/** A module worker of the page's own that uses the library. */
import { Upscaler } from "tfjs-esrgan";

onmessage = async ({ data: { model, worker } }: MessageEvent<{ model?: string; worker: boolean }>) => {
  try {
    const upscaler = await Upscaler.load(model, { worker });
    const { image, width } = await upscaler.upscale(new ImageData(5, 4), { output: "blob" });
    const canvas = await upscaler
      .upscale(new ImageData(1, 1), { output: "canvas" })
      .catch((error: unknown) => (error as Error).name);
    await upscaler.dispose();
    postMessage([image.type, width, canvas]);
  } catch (error) {
    postMessage([String(error)]);
  }
};
