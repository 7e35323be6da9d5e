/** The pictures that were given, and what became of each. */
import { element, made } from "./page.js";
import type { Outcome } from "./engines.js";
import { pixels } from "./words.js";

export type State = "waiting" | "working" | "done" | "failed";

export interface Item {
  readonly file: File;
  state: State;
  /** Of the photo, once it was read. */
  size: { readonly width: number; readonly height: number } | undefined;
  outcome: Outcome | undefined;
  error: string | undefined;
  thumbnail: string | undefined;
  /** Make the result although this browser cannot show it. */
  unseen: boolean;
}

/** A list of them; one is shown. */
export class Queue {
  readonly items: Item[] = [];
  shown: Item | undefined;
  private readonly list = element("queue", HTMLUListElement);
  private readonly rows = new Map<Item, HTMLLIElement>();

  /** @param onShow told when the visitor wants to see another */
  constructor(
    private readonly onShow: (item: Item | undefined) => void,
    private readonly onRemove: (item: Item) => void,
  ) {}

  add(file: File): Item {
    const item: Item = {
      file,
      state: "waiting",
      size: undefined,
      outcome: undefined,
      error: undefined,
      thumbnail: undefined,
      unseen: false,
    };
    this.items.push(item);
    const row = made("li");
    const open = made("button", { type: "button", className: "open" });
    open.append(
      made("img", { alt: "", width: 40, height: 40, hidden: true }),
      made("span", { className: "name", textContent: file.name }),
      made("span", { className: "state" }),
    );
    open.addEventListener("click", () => this.onShow(item));
    const remove = made("button", { type: "button", className: "remove", textContent: "×" });
    remove.setAttribute("aria-label", `Remove ${file.name}`);
    remove.addEventListener("click", () => this.remove(item));
    row.append(open, remove);
    this.rows.set(item, row);
    this.list.append(row);
    this.update(item);
    return item;
  }

  get waiting(): Item[] {
    return this.items.filter(({ state }) => state === "waiting");
  }

  get done(): Item[] {
    return this.items.filter(({ outcome }) => outcome !== undefined);
  }

  show(item: Item | undefined): void {
    this.shown = item;
    for (const [each, row] of this.rows) {
      const open = row.querySelector("button")!;
      if (each === item) open.setAttribute("aria-current", "true");
      else open.removeAttribute("aria-current");
    }
  }

  update(item: Item): void {
    const row = this.rows.get(item);
    if (!row) return;
    const image = row.querySelector("img")!;
    image.hidden = item.thumbnail === undefined;
    if (item.thumbnail && image.src !== item.thumbnail) image.src = item.thumbnail;
    row.dataset["state"] = item.state;
    row.querySelector(".state")!.textContent = {
      waiting: item.size ? pixels(item.size.width, item.size.height) : "waiting",
      working: "working…",
      done: item.outcome ? `done, ${pixels(item.outcome.width, item.outcome.height)}` : "done",
      failed: item.error ?? "failed",
    }[item.state];
    element("queue-box", HTMLElement).hidden = this.items.length < 1;
  }

  private remove(item: Item): void {
    const at = this.items.indexOf(item);
    this.items.splice(at, 1);
    this.rows.get(item)?.remove();
    this.rows.delete(item);
    if (item.thumbnail) URL.revokeObjectURL(item.thumbnail);
    const next = this.items[Math.min(at, this.items.length - 1)];
    element("queue-box", HTMLElement).hidden = this.items.length < 1;
    this.onRemove(item);
    if (this.shown === item) this.onShow(next);
    // the focus stays in the list, or goes to where the next one is chosen
    const row = next && this.rows.get(next);
    (row?.querySelector<HTMLElement>(".remove") ?? element("choose", HTMLButtonElement)).focus();
  }
}

const SIDE = 80; // pixels: twice as large as it is shown

/** A small picture of a photo for the list, as an address. */
export async function thumbnail(bitmap: ImageBitmap): Promise<string | undefined> {
  const share = SIDE / Math.min(bitmap.width, bitmap.height);
  const canvas = made("canvas", { width: SIDE, height: SIDE });
  const [width, height] = [bitmap.width * share, bitmap.height * share];
  canvas.getContext("2d")!.drawImage(bitmap, (SIDE - width) / 2, (SIDE - height) / 2, width, height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve));
  return blob ? URL.createObjectURL(blob) : undefined;
}
