/** What a program of the user's runs, without an option: a picture in, a larger one out. */
import { text } from "node:stream/consumers";
import { Upscaler } from "tfjs-esrgan";

const { width, height, data } = JSON.parse(await text(process.stdin));
const upscaler = await Upscaler.load();
const { image } = await upscaler.upscale({ width, height, data: Uint8ClampedArray.from(data) });
const { reason } = upscaler;
await upscaler.dispose();
console.log(
  JSON.stringify({ width: image.width, height: image.height, data: Array.from(image.data), reason }),
);
