/** How fast models are on this device: measured on a small tile, then with every picture; kept between visits. */
const KEPT = "esrgan-demo-speeds";

/** Side of the tile that is measured, in pixels. */
export const TILE = 64;

export class Speeds {
  private readonly known = new Map<string, number>(read());

  /** @returns milliseconds for so many pixels of the photo, or undefined */
  time(key: string, count: number): number | undefined {
    const each = this.known.get(key);
    return each === undefined ? undefined : each * count;
  }

  /** Remember that so many pixels of the photo took so long. */
  learn(key: string, count: number, milliseconds: number): void {
    this.known.set(key, milliseconds / count);
    try {
      localStorage.setItem(KEPT, JSON.stringify([...this.known]));
    } catch {
      // a store that is full or forbidden: it is measured again next time
    }
  }
}

function read(): [string, number][] {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "[]") as [string, number][];
    return kept.filter(([key, each]) => typeof key === "string" && each > 0);
  } catch {
    return [];
  }
}

/** A tile with something in it: a flat one would not be computed at all. */
export function tile(): ImageData {
  const image = new ImageData(TILE, TILE);
  for (let at = 0; at < image.data.length; at++)
    image.data[at] = at % 4 === 3 ? 255 : 128 + 100 * Math.sin(at * at);
  return image;
}
