/** PNG of any size, compressed as it is written: for pictures that no canvas of a browser holds. */
import type { Bytes } from "../models/bytes.js";
import { OptionError } from "../errors.js";
import type { ColourSpace } from "./colour-space.js";
import { hasAlpha, type Picture } from "./pixels.js";
import { PNG, pngChunk } from "./png.js";

const AT_A_TIME = 2 ** 20; // bytes of rows that are compressed together
const TOGETHER = 2 ** 24; // bytes that become one Blob, which a browser may put on its disk
const [RGB, RGBA] = [2, 6];
const PAETH = 4;
const DISPLAY_P3 = [12, 13, 0, 1]; // primaries, transfer, matrix and range, as ITU-T H.273 numbers them

/** @throws OptionError the browser has no CompressionStream */
export async function writePng(picture: Picture, colorSpace: ColourSpace): Promise<Blob> {
  if (typeof CompressionStream === "undefined")
    throw new OptionError('this browser cannot write a picture this large; choose output "raw"');
  const { width, height } = picture;
  const channels = hasAlpha(picture) ? 4 : 3;
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, channels === 4 ? RGBA : RGB], 8);
  const colours =
    colorSpace === "srgb"
      ? pngChunk("sRGB", Uint8Array.of(0))
      : pngChunk("cICP", Uint8Array.from(DISPLAY_P3));
  const whole: (Blob | Bytes)[] = [PNG, pngChunk("IHDR", header), colours];
  let parts: Bytes[] = [];
  let size = 0;
  const packed = rowsOf(picture, channels).pipeThrough(new CompressionStream("deflate")).getReader();
  for (;;) {
    const { done, value } = await packed.read();
    if (value) {
      parts.push(pngChunk("IDAT", value));
      size += value.length;
    }
    if (!done && size < TOGETHER) continue;
    whole.push(new Blob(parts));
    [parts, size] = [[], 0];
    if (done) break;
  }
  whole.push(pngChunk("IEND", new Uint8Array(0)));
  return new Blob(whole, { type: "image/png" });
}

/** The rows, each pixel as its difference from what its neighbours let expect. */
function rowsOf({ width, height, data }: Picture, channels: number): ReadableStream<Bytes> {
  const length = width * channels + 1;
  const count = Math.max(Math.floor(AT_A_TIME / length), 1);
  let row = 0;
  return new ReadableStream<Bytes>({
    pull(controller) {
      const rows = Math.min(count, height - row);
      const bytes = new Uint8Array(rows * length);
      for (let y = 0; y < rows; y++, row++) {
        bytes[y * length] = PAETH;
        const [here, above] = [4 * row * width, 4 * (row - 1) * width];
        let to = y * length + 1;
        for (let x = 0; x < width; x++) {
          for (let c = 0; c < channels; c++) {
            const at = 4 * x + c;
            const left = x ? data[here + at - 4]! : 0;
            const up = row ? data[above + at]! : 0;
            const corner = x && row ? data[above + at - 4]! : 0;
            bytes[to++] = data[here + at]! - nearest(left, up, corner);
          }
        }
      }
      controller.enqueue(bytes);
      if (row === height) controller.close();
    },
  });
}

/** Paeth's predictor: the neighbour nearest to left + up - corner. */
function nearest(left: number, up: number, corner: number): number {
  const [toLeft, toUp] = [Math.abs(up - corner), Math.abs(left - corner)];
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}
