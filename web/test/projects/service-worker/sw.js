/** The library in a service worker, as an extension's background script is one: all of it in one file. */
import { Upscaler } from "tfjs-esrgan";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("message", (event) => event.waitUntil(answer(event)));

async function answer({ data, ports: [port] }) {
  try {
    const upscaler = await Upscaler.load();
    const { reason } = upscaler;
    const picture = { ...data, data: Uint8ClampedArray.from(data.data) };
    const { width, height, image } = await upscaler.upscale(picture, { output: "raw" });
    await upscaler.dispose();
    port.postMessage({ width, height, data: Array.from(image.data), reason });
  } catch (error) {
    port.postMessage({ error: String(error) });
  }
}
