/** Screenshots against stored ones. Letters differ between machines, so they are made invisible first. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page as Tab } from "playwright-core";
import sharp from "sharp";
import { here } from "./page.js";

const STORED = here("shots");
const VISIBLE = 32; // levels: more is a difference that an eye sees
/** Largest share of pixels that may differ visibly: widths of buttons follow the system's letters. */
export const ALLOWED = 0.02;

/** Hide letters, and keep what wraps differently in other fonts from moving the rest. */
const PLAIN = `
  * { color: transparent !important; caret-color: transparent !important; transition: none !important; }
  header p, #status { height: 1.5rem; overflow: hidden; }
  .card, h2, .quiet { white-space: nowrap; overflow: hidden; }
  .zoombar button { width: 2.6rem; padding: 0 !important; }
  .choices span { width: 3.2rem; padding: 0 !important; }
`;

/** The whole page at half its size and without letters, as PNG. */
export async function plainShot(tab: Tab): Promise<Buffer> {
  const style = await tab.addStyleTag({ content: PLAIN });
  const shot = await tab.screenshot({ fullPage: true, animations: "disabled" });
  await style.evaluate((element) => {
    (element as Element).remove();
  });
  const { width } = await sharp(shot).metadata();
  return await sharp(shot)
    .resize({ width: Math.round(width / 2), kernel: "linear" })
    .png()
    .toBuffer();
}

/** Share of pixels that differ visibly; 1 where the pages are of different sizes. */
export async function difference(one: Buffer, other: Buffer): Promise<number> {
  const pixels = async (png: Buffer) =>
    await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const [a, b] = [await pixels(one), await pixels(other)];
  const { width, height } = a.info;
  // a line of text may be higher elsewhere
  if (width !== b.info.width || Math.abs(height - b.info.height) > 12) return 1;
  const count = width * Math.min(height, b.info.height);
  let differing = 0;
  for (let first = 0; first < 3 * count; first += 3) {
    const levels = [0, 1, 2].map((c) => Math.abs(a.data[first + c]! - b.data[first + c]!));
    if (Math.max(...levels) > VISIBLE) differing++;
  }
  return differing / count;
}

/**
 * How far a screenshot is from the stored one. UPDATE_SHOTS=1 stores it instead; one that differs is put into
 * the temporary folder, to be looked at.
 */
export async function fromStored(name: string, shot: Buffer): Promise<number> {
  const stored = join(STORED, `${name}.png`);
  if (process.env["UPDATE_SHOTS"]) {
    mkdirSync(STORED, { recursive: true });
    await sharp(shot).png({ palette: true, dither: 0, effort: 10 }).toFile(stored);
  }
  const found = existsSync(stored) ? await difference(await sharp(stored).png().toBuffer(), shot) : 1;
  if (found > ALLOWED) {
    const seen = join(tmpdir(), `tfjs-esrgan-${name}.png`);
    writeFileSync(seen, shot);
    console.error(`${seen} differs from ${stored} in ${(100 * found).toFixed(1)} % of its pixels`);
  }
  return found;
}
