/** The buttons that save: how large a file would be, one result, all of them. */
import { download, element, say, warn } from "./page.js";
import type { Queue } from "./queue.js";
import { resultName, zipped, type Format } from "./save.js";
import { fileSize, messageOf } from "./words.js";

const DRAWN_ALONG = 150; // ms: a slider is drawn along

export class Saving {
  private readonly one = element("save-one", HTMLButtonElement);
  private readonly all = element("save-all", HTMLButtonElement);
  private weighing = 0;

  constructor(
    private readonly queue: Queue,
    private readonly format: Format,
  ) {
    this.one.addEventListener("click", () => void this.saveOne());
    this.all.addEventListener("click", () => void this.saveAll());
  }

  refresh(): void {
    const { shown, done } = this.queue;
    element("save", HTMLElement).hidden = !done.length;
    this.one.disabled = !shown?.outcome;
    this.all.hidden = done.length < 2;
    this.all.textContent = `Save all ${done.length} as zip`;
  }

  /** Say how large the file of the shown result would be. */
  async weigh(): Promise<void> {
    const mine = ++this.weighing;
    const { queue, format } = this;
    const item = queue.shown;
    this.one.textContent = `Save ${format.name}`;
    if (!item?.outcome) return;
    await new Promise((resolve) => setTimeout(resolve, DRAWN_ALONG));
    if (mine !== this.weighing) return;
    try {
      const file = await format.encode(item);
      if (mine === this.weighing) this.one.textContent = `Save ${format.name}, ${fileSize(file.size)}`;
    } catch (error) {
      if (mine === this.weighing) warn(messageOf(error));
    }
  }

  private async saveOne(): Promise<void> {
    const item = this.queue.shown;
    if (!item) return;
    try {
      download(await this.format.encode(item), resultName(item, this.format.extension));
    } catch (error) {
      warn(messageOf(error));
    }
  }

  private async saveAll(): Promise<void> {
    const items = this.queue.done;
    try {
      const file = await zipped(items, this.format, (done) =>
        say(`Packing picture ${done + 1} of ${items.length}…`),
      );
      say("Packed.");
      download(file, "enlarged.zip");
    } catch (error) {
      warn(messageOf(error));
    }
  }
}
