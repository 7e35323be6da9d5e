/** How large the result shall be, as it is chosen. */
import { timesAsLarge, type Size } from "../src/images/target-size.js";
import { element } from "./page.js";
import type { Wish } from "./engines.js";
import { pixels } from "./words.js";

export class SizeChoice {
  private readonly group = element("size", HTMLElement);
  private readonly width = element("width", HTMLInputElement);

  constructor(onChange: () => void) {
    this.width.addEventListener("input", () => {
      this.radio("width").checked = true;
    });
    this.group.addEventListener("input", onChange);
  }

  get wish(): Wish {
    const chosen = this.group.querySelector<HTMLInputElement>("input:checked")!.value;
    const width = Math.round(Number(this.width.value));
    if (chosen !== "width") return { scale: Number(chosen) };
    return width > 0 ? { width } : { scale: 4 };
  }

  /** Choose a width, as a visitor would. */
  set wishedWidth(width: number) {
    this.width.value = String(width);
    this.radio("width").checked = true;
    this.group.dispatchEvent(new Event("input"));
  }

  /** Say what comes of a photo. */
  tell(photo: Size | undefined): void {
    const output = element("result-size", HTMLOutputElement);
    if (!photo) {
      output.value = "";
      return;
    }
    const result = sizeOf(photo, this.wish);
    output.value = pixels(result.width, result.height);
    if (!this.radio("width").checked) this.width.value = String(result.width);
  }

  private radio(value: string): HTMLInputElement {
    return this.group.querySelector<HTMLInputElement>(`input[value="${value}"]`)!;
  }
}

export function sizeOf(photo: Size, wish: Wish): Size {
  return timesAsLarge(photo, "scale" in wish ? wish.scale : wish.width / photo.width);
}
