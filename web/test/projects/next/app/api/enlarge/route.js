import { Upscaler } from "tfjs-esrgan";

/** The same in Node, on the server. */
export async function POST(request) {
  const { width, height, data } = await request.json();
  const upscaler = await Upscaler.load();
  const { image } = await upscaler.upscale({ width, height, data: Uint8ClampedArray.from(data) });
  await upscaler.dispose();
  return Response.json({
    width: image.width,
    height: image.height,
    data: Array.from(image.data),
    reason: upscaler.reason,
  });
}
