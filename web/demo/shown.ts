/** The picture of the list that is on the stage, and its result. */
import { fits } from "./limits.js";
import { element, made, say, warn } from "./page.js";
import type { Photo } from "./photo.js";
import type { Item, Queue } from "./queue.js";
import type { Size } from "../src/images/target-size.js";
import type { Viewer } from "./viewer.js";
import { messageOf } from "./words.js";

export class Shown {
  photo: Photo | undefined;
  private readonly facts = element("facts", HTMLDListElement);

  /**
   * @param read opens a file
   * @param resultOf the size of a result that is being computed, which is shown as it comes
   * @param changed told when another picture is shown
   */
  constructor(
    private readonly viewer: Viewer,
    private readonly queue: Queue,
    private readonly read: (file: File) => Promise<Photo>,
    private readonly resultOf: (item: Item) => Size | undefined,
    private readonly changed: () => void,
  ) {}

  /** Bring a picture of the list to the stage; none: the welcome. */
  async show(item: Item | undefined): Promise<void> {
    const { queue, viewer } = this;
    queue.show(item);
    const old = this.photo;
    this.photo = undefined;
    this.facts.replaceChildren();
    document.body.classList.toggle("empty", !item);
    if (!item) element("stage", HTMLElement).classList.remove("filled", "compared");
    try {
      const photo = item && item.state !== "failed" ? await this.read(item.file) : undefined;
      if (queue.shown !== item) {
        photo?.bitmap.close();
        return;
      }
      if (item?.error) warn(item.error);
      if (photo && item) {
        this.photo = photo;
        viewer.show(photo.bitmap);
        say(`${item.file.name}: ${photo.bitmap.width} × ${photo.bitmap.height} pixels.`);
        this.prepare(item);
        if (item.outcome) await this.present(item);
      }
    } catch (error) {
      warn(messageOf(error));
    } finally {
      old?.bitmap.close();
      this.changed();
    }
  }

  /** Make room for the result of a picture that is worked on, if it is the one that is shown. */
  prepare(item: Item): void {
    const size = this.queue.shown === item ? this.resultOf(item) : undefined;
    if (size && fits(size.width, size.height)) this.viewer.prepare(size.width, size.height);
  }

  /** Say where the result of what is shown is not to be seen. */
  tellUnseen(): void {
    const outcome = this.queue.shown?.outcome;
    if (outcome && !fits(outcome.width, outcome.height))
      warn("The result is too large for this browser to show. It can be saved as PNG.");
  }

  /** Show a result, if its picture is the one that is shown. */
  async present(item: Item): Promise<void> {
    const { outcome } = item;
    if (!outcome || this.queue.shown !== item) return;
    this.facts.replaceChildren(
      ...outcome.facts.flatMap(([name, value]) => [
        made("dt", { textContent: name }),
        made("dd", { textContent: value }),
      ]),
    );
    if (!fits(outcome.width, outcome.height)) {
      this.tellUnseen();
      return;
    }
    const bitmap = await createImageBitmap(outcome.png);
    if (this.queue.shown === item) this.viewer.finish(bitmap);
    bitmap.close();
  }
}
