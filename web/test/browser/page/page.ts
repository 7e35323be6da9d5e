/** What the tests reach in the page: the library as it is published, and TF.js of its thread. */
import * as tf from "@tensorflow/tfjs-core";
import * as library from "tfjs-esrgan";
import type { Picture } from "tfjs-esrgan";

/** RGBA bytes travel between test and page as base64. */
interface Sent {
  width: number;
  height: number;
  data: string;
}

const page = {
  ...library,
  tf,
  picture({ width, height, data }: Sent): ImageData {
    return new ImageData(
      Uint8ClampedArray.from(atob(data), (letter) => letter.charCodeAt(0)),
      width,
      height,
    );
  },
  sent({ width, height, data }: Picture | ImageData): Sent {
    let text = "";
    for (const byte of data) text += String.fromCharCode(byte);
    return { width, height, data: btoa(text) };
  },
};
export type Page = typeof page;

declare global {
  var esrgan: Page;
}
globalThis.esrgan = page;
