/** What a page may write, and what the compiler must refuse. `tsc` checks it against the installed package. */
import { OutOfMemoryError, planTiles, Upscaler } from "tfjs-esrgan";
import type {
  Account,
  BackendName,
  FetchFunction,
  LoadProgress,
  ModelInfo,
  Picture,
  Source,
  TileEvent,
  UpscaleResult,
} from "tfjs-esrgan";
import { Upscaler as InlineUpscaler } from "tfjs-esrgan/inline";
import { registerBackend, serve, type Backend } from "tfjs-esrgan/serve";
import "tfjs-esrgan/cpu";
import "tfjs-esrgan/wasm";
import "tfjs-esrgan/webgl";
import "tfjs-esrgan/webgpu";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <T extends true>(): T => true as T;

export async function use(photo: File, files: FileList, worker: Worker, backend: Backend): Promise<void> {
  await using upscaler = await Upscaler.load(files, { backend: "auto", worker, memory: 2 ** 30 });
  await Upscaler.load(new URL("https://example.org/model.json"), { worker: false, cache: false });
  await InlineUpscaler.load("model.json", { backend: "wasm", wasmPaths: "wasm/" });
  const fetcher: FetchFunction = async (address, options) => await fetch(address, options);
  await Upscaler.load(undefined, { onProgress: ({ bytes, totalBytes }: LoadProgress) => bytes / totalBytes });
  await Upscaler.load("indexeddb://mine", { worker: "worker.js", fetch: fetcher });
  await Upscaler.load({ "model.json": "https://example.org/m?token=1", "group1-shard1of1.bin": photo });
  await Upscaler.load("model.json", {
    request: { headers: { Authorization: "Bearer" }, credentials: "include" },
  });
  // Node's own setTimeout gives something else: its types must not come with the library
  const timer: number = setTimeout(() => undefined, 0);
  clearTimeout(timer);
  const info: ModelInfo = upscaler.info;
  const name: BackendName = upscaler.backend;

  const plain = await upscaler.upscale(photo);
  const drawn = await upscaler.upscale(photo, { output: "canvas", tile: { size: 128, overlap: 32 } });
  const blob = await upscaler.upscale(photo, { output: "blob", type: "image/webp", quality: 0.8 });
  const raw = await upscaler.upscale(photo, { output: "raw", alpha: "resize", tile: "exact" });
  same<Equal<typeof plain, UpscaleResult>>();
  same<Equal<typeof plain.image, ImageData>>();
  same<Equal<typeof drawn.image, HTMLCanvasElement>>();
  same<Equal<typeof blob.image, Blob>>();
  same<Equal<typeof raw.image, Picture>>();
  const account: Account = raw;
  const frames: Source[] = [
    document.createElement("video"),
    new SVGImageElement(),
    new VideoFrame(document.createElement("canvas"), { timestamp: 0 }),
    { width: 1, height: 1, data: new Float32Array(4) },
  ];
  await upscaler.upscale(frames[0]!, { scale: 2, colorSpace: "display-p3" });
  await upscaler.upscale(photo, { output: "blob", type: "image/jpeg", background: "#fff", width: 100 });
  // what comes back goes into a page's own functions
  new ImageData(raw.image.data, raw.width, raw.height);
  const source: Source = { width: 1, height: 1, data: new Uint8ClampedArray(4) };
  await upscaler.upscale(source, {
    signal: AbortSignal.timeout(1000),
    onTile: (tile: TileEvent) => tile.preview?.data,
    onProgress: (share: number) => share,
  });
  registerBackend("wasm", () => Promise.resolve(backend));
  serve();
  const error: Error = new OutOfMemoryError("");
  console.log(info.scale, name, account.exact, error.name, planTiles(9, 9, 4, 1)[0]?.windowTop);

  // @ts-expect-error: no such backend
  await Upscaler.load("model.json", { backend: "cuda" });
  // @ts-expect-error: a number is no address
  await Upscaler.load(1);
  // @ts-expect-error: a worker is chosen when the library is, not inline
  await InlineUpscaler.load("model.json", { worker: true });
  // @ts-expect-error: no such output
  await upscaler.upscale(photo, { output: "gif" });
  // @ts-expect-error: a tile has a size
  await upscaler.upscale(photo, { tile: { overlap: 3 } });
  // @ts-expect-error: a side counts pixels
  await upscaler.upscale(photo, { width: "100" });
  // @ts-expect-error: no picture
  await upscaler.upscale("photo.png");
  // @ts-expect-error: an ImageData is no Blob
  const wrong: Blob = plain.image;
  // @ts-expect-error: read only
  upscaler.backend = "cpu";
  // @ts-expect-error: made by load alone
  new Upscaler();
  console.log(wrong);
}
