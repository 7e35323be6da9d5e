/** Before and after, one over the other, with a divider between them; moved and enlarged as one likes. */
import type { Picture } from "tfjs-esrgan";
import { element } from "./page.js";
import { followGestures } from "./gestures.js";

const LARGEST = 16; // screen pixels a pixel of the result
const STEP = 1.5;
const MARGIN = 12; // pixels around a picture that is shown whole

export class Viewer {
  private readonly stage = element("stage", HTMLElement);
  private readonly before = element("before", HTMLCanvasElement);
  private readonly after = element("after", HTMLCanvasElement);
  private readonly ground = element("ground", HTMLDivElement);
  private readonly fill = element("fill-under", HTMLDivElement);
  private readonly divider = element("divider", HTMLDivElement);
  private readonly zoomText = element("zoom", HTMLOutputElement);
  /** Pixels of the picture as it is looked at: the result's, or the photo's while there is none. */
  private size = { width: 1, height: 1 };
  private zoom = 1;
  private left = 0;
  private top = 0;
  /** Whether it follows the size of the stage. */
  private fitted = true;
  private cut = 50;

  constructor() {
    element("in", HTMLButtonElement).addEventListener("click", () => this.enlarge(STEP));
    element("out", HTMLButtonElement).addEventListener("click", () => this.enlarge(1 / STEP));
    element("fit", HTMLButtonElement).addEventListener("click", () => this.fit());
    element("whole", HTMLButtonElement).addEventListener("click", () => this.actualSize());
    new ResizeObserver(() => this.layout()).observe(this.stage);
    followGestures(this.stage, this.divider, {
      move: (x, y) => this.move(x, y),
      enlarge: (factor, x, y) => this.enlarge(factor, x, y),
      toggle: (x, y) => (this.fitted ? this.actualSize(x, y) : this.fit()),
      fit: () => this.fit(),
      actualSize: () => this.actualSize(),
      divide: (share) => this.divide(share),
      cut: () => this.cut,
    });
    this.divide(this.cut);
  }

  /** Show a photo alone. */
  show(photo: ImageBitmap): void {
    this.before.width = photo.width;
    this.before.height = photo.height;
    this.before.getContext("2d")!.drawImage(photo, 0, 0);
    this.after.width = this.after.height = 0;
    this.size = { width: photo.width, height: photo.height };
    this.stage.classList.remove("compared");
    this.stage.classList.add("filled");
    this.fit();
  }

  /** Make room for a result of this size; until parts of it come it shows the photo. */
  prepare(width: number, height: number): void {
    this.after.width = width;
    this.after.height = height;
    this.after.getContext("2d")!.drawImage(this.before, 0, 0, width, height);
    this.resized(width, height);
  }

  /** @param scale by which the part's coordinates are larger than the photo's */
  put(part: Picture, left: number, top: number, scale: number): void {
    const image = new ImageData(part.data, part.width, part.height);
    const context = this.after.getContext("2d")!;
    const factor = this.after.width / (this.before.width * scale);
    if (factor === 1) {
      context.putImageData(image, left, top);
      return;
    }
    const small = document.createElement("canvas");
    small.width = part.width;
    small.height = part.height;
    small.getContext("2d")!.putImageData(image, 0, 0);
    const [x, y, width, height] = [left, top, part.width, part.height].map((value) => value * factor);
    context.clearRect(x!, y!, width!, height!);
    context.drawImage(small, x!, y!, width!, height!);
  }

  /** Show a result. */
  finish(result: ImageBitmap): void {
    this.after.width = result.width;
    this.after.height = result.height;
    this.after.getContext("2d")!.drawImage(result, 0, 0);
    this.resized(result.width, result.height);
  }

  /** Forget the result. */
  withdraw(): void {
    this.after.width = this.after.height = 0;
    this.stage.classList.remove("compared");
    this.resized(this.before.width, this.before.height, false);
  }

  /** The colour under transparency in the result; empty: the checkerboard. */
  set background(colour: string) {
    this.fill.style.background = colour;
  }

  /** What is looked at stays where it is. */
  private resized(width: number, height: number, compared = true): void {
    this.zoom *= this.size.width / width;
    this.size = { width, height };
    if (compared) this.stage.classList.add("compared");
    this.layout();
  }

  private fitting(): number {
    const { clientWidth, clientHeight } = this.stage;
    const [width, height] = [clientWidth, clientHeight].map((side) => Math.max(side - 2 * MARGIN, 1));
    return Math.min(width! / this.size.width, height! / this.size.height);
  }

  private fit(): void {
    this.fitted = true;
    this.layout();
  }

  private actualSize(x?: number, y?: number): void {
    this.enlarge(1 / this.zoom, x, y);
  }

  /** @param x of the point that stays where it is, in pixels of the stage; the middle unless given */
  private enlarge(factor: number, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2): void {
    const smallest = Math.min(this.fitting(), 1);
    const zoom = Math.min(Math.max(this.zoom * factor, smallest), LARGEST);
    const ratio = zoom / this.zoom;
    this.left = x - (x - this.left) * ratio;
    this.top = y - (y - this.top) * ratio;
    this.zoom = zoom;
    this.fitted = zoom <= smallest * 1.001 && smallest < 1;
    this.layout();
  }

  private move(x: number, y: number): void {
    this.left += x;
    this.top += y;
    this.fitted = false;
    this.layout();
  }

  private divide(share: number): void {
    this.cut = Math.min(Math.max(share, 0), 100);
    this.stage.style.setProperty("--cut", `${this.cut}%`);
    this.divider.setAttribute("aria-valuenow", String(Math.round(this.cut)));
    this.divider.setAttribute("aria-valuetext", `${Math.round(this.cut)} % before`);
  }

  private layout(): void {
    const { clientWidth, clientHeight } = this.stage;
    if (!clientWidth) return;
    if (this.fitted) this.zoom = this.fitting();
    const [width, height] = [this.size.width * this.zoom, this.size.height * this.zoom];
    this.left = held(this.left, width, clientWidth);
    this.top = held(this.top, height, clientHeight);
    for (const canvas of [this.before, this.after]) {
      if (!canvas.width) continue;
      const scale = `${width / canvas.width}, ${height / canvas.height}`;
      canvas.style.transform = `translate(${this.left}px, ${this.top}px) scale(${scale})`;
    }
    this.after.style.imageRendering = this.zoom >= 2 ? "pixelated" : "auto";
    for (const ground of [this.ground, this.fill])
      ground.style.cssText = `${ground === this.fill ? `background: ${this.fill.style.background};` : ""}
        left: ${this.left}px; top: ${this.top}px; width: ${width}px; height: ${height}px`;
    const percent = 100 * this.zoom;
    this.zoomText.value = `${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
  }
}

/** A picture smaller than the stage stays in its middle, a larger one does not leave it. */
function held(at: number, picture: number, stage: number): number {
  if (picture <= stage) return (stage - picture) / 2;
  return Math.min(Math.max(at, stage - picture), 0);
}
