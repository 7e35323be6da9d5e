/** Enlarges what waits in the list, one picture after the other, by whatever computes. */
import type { Engine } from "./engines.js";
import { canBeMade, fits, largestWidth } from "./limits.js";
import type { Cards, Offer } from "./models.js";
import { element, say, warn, type Remedy } from "./page.js";
import type { Photo } from "./photo.js";
import type { Item, Queue } from "./queue.js";
import type { Shown } from "./shown.js";
import { sizeOf, type SizeChoice } from "./size.js";
import type { Size } from "../src/images/target-size.js";
import type { Viewer } from "./viewer.js";
import { duration, messageOf, pixels, Remaining } from "./words.js";

export interface Around {
  readonly queue: Queue;
  readonly cards: Cards;
  readonly size: SizeChoice;
  readonly viewer: Viewer;
  readonly shown: Shown;
  /** What computes from the next picture on. */
  readonly engine: () => Engine;
  readonly read: (file: File) => Promise<Photo>;
  /** Told when anything is otherwise. */
  readonly changed: () => void;
}

/** A result that this browser does not show, or not even hold; found before it is computed. */
class TooLargeError extends Error {}

export class Working {
  /** The picture under way, and what stops it. */
  now: { readonly abort: AbortController; readonly item: Item; size?: Size } | undefined;
  private measuring: AbortController | undefined;
  private readonly progress = element("progress", HTMLProgressElement);
  private readonly left = element("left", HTMLSpanElement);

  constructor(private readonly around: Around) {}

  refresh(): void {
    this.progress.hidden = this.left.hidden = this.now === undefined;
  }

  stop(): void {
    this.now?.abort.abort();
  }

  /** The size of the result of a picture that is worked on. */
  resultOf(item: Item): Size | undefined {
    return this.now?.item === item ? this.now.size : undefined;
  }

  /** Find out how fast the chosen model is here, while nothing else is computed. */
  async measure(): Promise<void> {
    this.stopMeasuring();
    const { cards, shown, changed } = this.around;
    const engine = this.around.engine();
    const offer = cards.chosen;
    if (this.now || !shown.photo || !offer || engine.expected(offer, 1) !== undefined) return;
    const mine = (this.measuring = new AbortController());
    try {
      await engine.measure(offer, mine.signal);
      changed();
    } catch (error) {
      // what cannot be loaded is said here, and again when it is to be used
      if (!mine.signal.aborted) warn(messageOf(error));
    }
  }

  stopMeasuring(): void {
    this.measuring?.abort();
  }

  /** Enlarge what waits; if nothing does, what is shown once more. */
  async run(): Promise<void> {
    this.stopMeasuring();
    const { queue, changed } = this.around;
    if (!queue.waiting.length && queue.shown) queue.shown.state = "waiting";
    let next: Item | undefined = queue.shown?.state === "waiting" ? queue.shown : queue.waiting[0];
    let [done, failed] = [0, 0];
    let stopped = false;
    while (next) {
      const abort = new AbortController();
      this.now = { abort, item: next };
      await this.enlarge(next, abort.signal);
      if (next.state === "failed") failed++;
      else if (!abort.signal.aborted) done++;
      // one that was taken out of the list is no wish to stop
      stopped = abort.signal.aborted && queue.items.includes(next);
      if (stopped) break;
      next = queue.waiting[0];
    }
    this.now = undefined;
    changed();
    if (stopped) say("Stopped.");
    else if (done + failed > 1)
      say(failed ? `Done: ${done}. Not possible: ${failed}, see the list.` : `Done: all ${done}.`);
    else if (!failed) say("Done.");
    if (!failed) this.around.shown.tellUnseen();
  }

  private async enlarge(item: Item, signal: AbortSignal): Promise<void> {
    const { queue, cards, size, viewer, shown, read, changed } = this.around;
    const offer = cards.chosen;
    const { wish } = size;
    const by = this.around.engine(); // what is chosen meanwhile counts from the next picture on
    item.state = "working";
    item.error = undefined;
    queue.update(item);
    changed();
    let own: Photo | undefined;
    try {
      own = await read(item.file);
      const { width, height } = own.bitmap;
      item.size = { width, height };
      if (!offer) throw new Error("Choose a model first.");
      const result = sizeOf(item.size, wish);
      checkSize(item, result, by, offer);
      if (this.now?.item === item) this.now.size = result;
      const seen = fits(result.width, result.height);
      const expected = () => new Remaining(by.expected(offer, width * height));
      let remaining: Remaining | undefined;
      item.outcome = await by.enlarge({
        file: item.file,
        photo: own,
        offer,
        wish,
        signal,
        onPreparing: (text, share) => {
          say(text);
          this.tell(share, undefined);
        },
        onProgress: (share) => {
          if (!remaining) {
            say(`Enlarging ${item.file.name}…`);
            shown.prepare(item);
          }
          remaining ??= expected();
          this.tell(share, remaining.at(share));
        },
        onTile: (part, scale) => {
          if (seen && part.preview && queue.shown === item)
            viewer.put(part.preview, part.left, part.top, scale);
        },
      });
      item.state = "done";
      await shown.present(item);
    } catch (error) {
      item.state = signal.aborted ? "waiting" : "failed";
      if (!signal.aborted) {
        item.error = messageOf(error);
        warn(item.error, ...this.remedies(item, error));
      }
      if (queue.shown === item) viewer.withdraw();
    } finally {
      own?.bitmap.close();
      queue.update(item);
      changed();
    }
  }

  /** What can be done about a result that is too large. */
  private remedies(item: Item, error: unknown): Remedy[] {
    if (!(error instanceof TooLargeError) || !item.size) return [];
    const { queue, size, changed } = this.around;
    const again = (before: () => void) => () => {
      before();
      item.state = "waiting";
      item.error = undefined;
      queue.update(item);
      changed();
      element("start", HTMLButtonElement).focus();
    };
    const wished = sizeOf(item.size, size.wish);
    const width = largestWidth(item.size, wished.width);
    const smaller = {
      label: `Make it ${width} pixels wide`,
      act: again(() => (size.wishedWidth = width)),
    };
    const unseen = {
      label: "Make it all the same, and save it as PNG",
      act: again(() => (item.unseen = true)),
    };
    return canBeMade(wished.width, wished.height) ? [smaller, unseen] : [smaller];
  }

  private tell(share: number | undefined, milliseconds: number | undefined): void {
    if (share === undefined) this.progress.removeAttribute("value");
    else this.progress.value = share;
    const parts = share === undefined ? [] : [`${Math.floor(share * 100)} %`];
    if (milliseconds !== undefined) parts.push(`${duration(milliseconds)} left`);
    this.left.textContent = parts.join(" · ");
  }
}

function checkSize(item: Item, { width, height }: Size, by: Engine, offer: Offer): void {
  if (!by.draws || fits(width, height)) return;
  const made = canBeMade(width, height);
  if (made && item.unseen) return;
  throw new TooLargeError(
    `The result would be ${pixels(width, height)}, more than this browser can ${made ? "show" : "hold"} in one picture. ` +
      `Make it smaller${made ? ", save it without seeing it" : ""}, or run on your computer: ` +
      `esrgan upscale PHOTO --model ${offer.id}`,
  );
}
