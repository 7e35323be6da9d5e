/** What common/main.js does, from within a component. */
export function offer(Upscaler) {
  globalThis.enlarge = async ({ width, height, data }) => {
    const upscaler = await Upscaler.load();
    const { reason } = upscaler;
    const picture = { width, height, data: Uint8ClampedArray.from(data) };
    const result = await upscaler.upscale(picture, { output: "raw" });
    await upscaler.dispose();
    return { width: result.width, height: result.height, data: Array.from(result.image.data), reason };
  };
}
