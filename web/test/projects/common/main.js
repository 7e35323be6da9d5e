/** What every project's page runs: the library as its README says, without an option. */
import { Upscaler } from "tfjs-esrgan";

globalThis.enlarge = async ({ width, height, data }) => {
  const upscaler = await Upscaler.load();
  const { reason } = upscaler;
  const picture = { width, height, data: Uint8ClampedArray.from(data) };
  const result = await upscaler.upscale(picture, { output: "raw" });
  await upscaler.dispose();
  return { width: result.width, height: result.height, data: Array.from(result.image.data), reason };
};
