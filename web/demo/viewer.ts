/** Before and after, one over the other: a slider between them, zoom, and tiles as they come. */
import type { Picture } from "tfjs-esrgan";
import { element } from "./page.js";

const ZOOMS = [0.25, 0.5, 1, 2, 4, 8];

export class Viewer {
  private readonly before = element("before", HTMLCanvasElement);
  private readonly after = element("after", HTMLCanvasElement);
  private readonly stack = element("stack", HTMLDivElement);
  private readonly frame = element("frame", HTMLDivElement);
  /** Screen pixels a pixel of the result; undefined: as large as fits. */
  private zoom: number | undefined;

  constructor() {
    const slider = element("slider", HTMLInputElement);
    slider.addEventListener("input", () => this.stack.style.setProperty("--cut", `${slider.value}%`));
    element("in", HTMLButtonElement).addEventListener("click", () => this.step(1));
    element("out", HTMLButtonElement).addEventListener("click", () => this.step(-1));
    new ResizeObserver(() => this.layout()).observe(this.frame);
    let held = false;
    const follow = (event: PointerEvent) => {
      const { left, width } = this.stack.getBoundingClientRect();
      slider.value = String((100 * (event.clientX - left)) / width);
      slider.dispatchEvent(new Event("input"));
    };
    this.stack.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse" || event.button !== 0) return;
      held = true;
      this.stack.setPointerCapture(event.pointerId);
      follow(event);
    });
    this.stack.addEventListener("pointermove", (event) => {
      if (held) follow(event);
    });
    this.stack.addEventListener("pointerup", () => (held = false));
  }

  /** Show a photo, with an empty result over it. */
  show(photo: ImageBitmap): void {
    this.before.width = photo.width;
    this.before.height = photo.height;
    this.before.getContext("2d")!.drawImage(photo, 0, 0);
    this.prepare(photo, 1);
    this.zoom = undefined;
    element("empty", HTMLElement).hidden = true;
    element("viewer", HTMLElement).hidden = false;
    this.layout();
  }

  /** Make the result as large as it will be; until tiles come it shows the photo. */
  prepare(photo: ImageBitmap, scale: number): void {
    this.after.width = photo.width * scale;
    this.after.height = photo.height * scale;
    this.after.getContext("2d")!.drawImage(photo, 0, 0, this.after.width, this.after.height);
    this.layout();
  }

  /** On a narrow screen the picture lies below the controls: bring it into sight. */
  reveal(): void {
    this.frame.scrollIntoView({ block: "nearest" });
  }

  put(picture: Picture, left: number, top: number): void {
    const image = new ImageData(picture.data, picture.width, picture.height);
    this.after.getContext("2d")!.putImageData(image, left, top);
  }

  private fitting(): number {
    const { clientWidth, clientHeight } = this.frame;
    return Math.min(clientWidth / this.after.width, clientHeight / this.after.height);
  }

  private step(by: 1 | -1): void {
    const now = this.zoom ?? this.fitting();
    const next =
      by > 0 ? ZOOMS.find((zoom) => zoom > now * 1.01) : ZOOMS.findLast((zoom) => zoom < now * 0.99);
    this.zoom = next !== undefined && next > this.fitting() ? next : by > 0 ? this.zoom : undefined;
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.frame;
    const [x, y] = [scrollLeft + clientWidth / 2, scrollTop + clientHeight / 2];
    this.layout();
    const ratio = (this.zoom ?? this.fitting()) / now;
    this.frame.scrollTo(x * ratio - clientWidth / 2, y * ratio - clientHeight / 2);
  }

  private layout(): void {
    if (!this.frame.clientWidth) return;
    const zoom = this.zoom ?? this.fitting();
    this.stack.style.width = `${this.after.width * zoom}px`;
    this.stack.style.height = `${this.after.height * zoom}px`;
    this.before.style.imageRendering = this.after.style.imageRendering = zoom >= 2 ? "pixelated" : "auto";
    element("zoom", HTMLOutputElement).value = this.zoom ? `${this.zoom * 100} %` : "fit";
  }
}
