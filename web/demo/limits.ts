/** How large a picture this browser can show, and hold: found before anything is computed. */
const SIDE = 16384;
const AREA = 16384 * 16384;
/** Every browser holds so many pixels; above that it is tried. */
const SAFE_AREA = 4096 * 4096;

const tried = new Map<string, boolean>();

/** Whether a canvas of this size works here. */
export function fits(width: number, height: number): boolean {
  if (width > SIDE || height > SIDE || width * height > AREA) return false;
  if (width * height <= SAFE_AREA) return true;
  const key = `${width} ${height}`;
  const known = tried.get(key);
  if (known !== undefined) return known;
  const works = holds(width, height);
  tried.set(key, works);
  return works;
}

const LARGEST = 2 ** 31; // bytes that browsers give to one picture

/** Whether a result of this size can be computed, and saved as PNG without being seen. */
export const canBeMade = (width: number, height: number): boolean => 4 * width * height < LARGEST;

/** A browser that cannot gives a canvas that stays empty, or none. */
function holds(width: number, height: number): boolean {
  const canvas = document.createElement("canvas");
  try {
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (!context) return false;
    context.fillRect(width - 1, height - 1, 1, 1);
    return context.getImageData(width - 1, height - 1, 1, 1).data[3] === 255;
  } catch {
    return false;
  } finally {
    canvas.width = canvas.height = 0; // memory is given back at once
  }
}

/** The largest width up to the one wished with which a photo fits; its proportions stay. */
export function largestWidth(photo: { width: number; height: number }, wished: number): number {
  const ratio = photo.height / photo.width;
  const ends = [wished, SIDE, SIDE / ratio, Math.sqrt(AREA / ratio)];
  let width = Math.floor(Math.min(...ends));
  while (width > 1 && !fits(width, Math.max(1, Math.round(width * ratio)))) width = Math.floor(width * 0.9);
  return width;
}
