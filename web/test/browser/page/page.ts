/** What the tests reach in the page: the library as it is published, and TF.js of its thread. */
import { loadGraphModel } from "@tensorflow/tfjs-converter";
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as library from "tfjs-esrgan";
import type { BackendName, EngineName, Picture } from "tfjs-esrgan";
import "../../../src/all.js";
import { fetchModel } from "../../../src/models/download.js";
import { Engine } from "../../../src/engine/engine.js";
import { Upscaler as Inline } from "../../../src/inline.js";
import { webPlace } from "../../../src/models/places.js";

/** RGBA bytes travel between test and page as base64. */
interface Sent {
  width: number;
  height: number;
  data: string;
}

const bytesOf = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

function textOf(bytes: Iterable<number>): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** The network itself on float32 values (height, width, 3), before they become bytes: base64 in and out. */
async function floats(
  model: string,
  backend: BackendName,
  engineName: EngineName,
  height: number,
  width: number,
  values: string,
) {
  const place = webPlace(new URL(model, location.href).href);
  const engine = await Engine.start(await fetchModel(place), {
    backend,
    engine: engineName,
    wasmPaths: new URL("wasm/", location.href).href,
  });
  const given = new Float32Array(bytesOf(values).buffer);
  const features = await engine.network.trunk(given, height, width, () => Promise.resolve());
  const result = await engine.network.tail(features, 0, 0, height, width);
  features.dispose();
  engine.dispose();
  return textOf(new Uint8Array(result.buffer));
}

const page = {
  ...library,
  tf,
  loadGraphModel,
  /** A worker of the page's own, in which the library is used as in a page. */
  ownWorker: () => new Worker(new URL("./user-worker.ts", import.meta.url), { type: "module" }),
  /** What an error says, and whether it is one of the library's. */
  failure: (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => "none",
      (error: unknown) => {
        const { name, message } = error as Error;
        return `${error instanceof library.EsrganError ? "" : "FOREIGN "}${name}: ${message}`;
      },
    ),
  /** In the page's thread, with that very TF.js. */
  Inline,
  floats,
  picture({ width, height, data }: Sent): ImageData {
    return new ImageData(new Uint8ClampedArray(bytesOf(data)), width, height);
  },
  sent({ width, height, data }: Picture | ImageData): Sent {
    return { width, height, data: textOf(data) };
  },
};
export type Page = typeof page;

declare global {
  var esrgan: Page;
}
globalThis.esrgan = page;
