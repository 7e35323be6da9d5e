/** The demo page: pictures in, enlarged ones out. */
import type { BackendName } from "tfjs-esrgan";
import { ComputerEngine } from "./computer.js";
import { PageEngine, type Engine } from "./engines.js";
import { takeIn } from "./intake.js";
import { fits, largestWidth } from "./limits.js";
import { Cards, offers, type Offer } from "./models.js";
import { download, element, made, say, warn } from "./page.js";
import { readPhoto, type Photo } from "./photo.js";
import { Queue, thumbnail, type Item } from "./queue.js";
import { Format, resultName, zipped } from "./save.js";
import { SizeChoice, sizeOf } from "./size.js";
import { Viewer } from "./viewer.js";
import { duration, fileSize, Remaining } from "./words.js";

const start = element("start", HTMLButtonElement);
const progress = element("progress", HTMLProgressElement);
const left = element("left", HTMLSpanElement);
const facts = element("facts", HTMLDListElement);
const save = element("save", HTMLElement);
const backend = element("backend", HTMLSelectElement);
const viewer = new Viewer();
const queue = new Queue((item) => void show(item), removed);
const size = new SizeChoice(() => refresh());
const format = new Format(() => void weigh());
const cards = new Cards(() => {
  refresh();
  void measure();
});
const page = new PageEngine(offers);
let engine: Engine = page;

/** Of the picture that is shown. */
let photo: Photo | undefined;
let work: { readonly abort: AbortController; readonly item: Item } | undefined;
let measuring: AbortController | undefined;

function refresh(): void {
  const item = queue.shown;
  const waiting = queue.waiting.length;
  start.disabled = !work && !queue.items.length;
  start.classList.toggle("stop", work !== undefined);
  start.classList.toggle("again", !work && !waiting && item?.outcome !== undefined);
  start.textContent = work
    ? "Stop"
    : waiting > 1
      ? `Enlarge ${waiting} pictures`
      : !waiting && item?.outcome
        ? "Enlarge again"
        : "Enlarge";
  progress.hidden = left.hidden = work === undefined;
  save.hidden = !queue.done.length;
  element("save-one", HTMLButtonElement).disabled = !item?.outcome;
  const all = element("save-all", HTMLButtonElement);
  all.hidden = queue.done.length < 2;
  all.textContent = `Save all ${queue.done.length} as zip`;
  size.tell(item?.size);
  cards.time((offer) => {
    const time = item?.size && engine.expected(offer, item.size.width * item.size.height);
    return time === undefined ? undefined : `about ${duration(time)} here`;
  });
}

async function take(files: File[]): Promise<void> {
  const items = files.map((file) => queue.add(file));
  for (const [index, item] of items.entries()) {
    try {
      const { bitmap } = await readPhoto(item.file);
      item.size = { width: bitmap.width, height: bitmap.height };
      item.thumbnail = await thumbnail(bitmap);
      bitmap.close();
    } catch (error) {
      item.state = "failed";
      item.error = messageOf(error);
    }
    queue.update(item);
    if (index === 0) await show(item);
  }
  const bad = items.filter(({ state }) => state === "failed");
  if (items.length > 1) say(`${items.length - bad.length} more pictures are in the list.`);
  if (bad.length)
    warn(bad.length > 1 ? `${bad.length} files cannot be opened; the list says why.` : (bad[0]?.error ?? ""));
  refresh();
}

/** Bring a picture of the list to the stage. */
async function show(item: Item | undefined): Promise<void> {
  queue.show(item);
  const old = photo;
  photo = undefined;
  facts.replaceChildren();
  document.body.classList.toggle("empty", !item);
  if (!item) element("stage", HTMLElement).classList.remove("filled", "compared");
  try {
    const read = item && item.state !== "failed" ? await readPhoto(item.file) : undefined;
    if (queue.shown !== item) return;
    if (item?.error) warn(item.error);
    if (read && item) {
      photo = read;
      viewer.show(read.bitmap);
      viewer.background = (read.transparent ? format.background : undefined) ?? "";
      say(`${item.file.name}: ${read.bitmap.width} × ${read.bitmap.height} pixels.`);
      if (work?.item === item) prepare(item);
      if (item.outcome) await present(item);
    }
  } catch (error) {
    warn(messageOf(error));
  } finally {
    old?.bitmap.close();
    refresh();
    void weigh();
    void measure();
  }
}

function removed(item: Item): void {
  if (work?.item === item) work.abort.abort();
  refresh();
}

/** How fast the chosen model is here, while nothing else is computed. */
async function measure(): Promise<void> {
  measuring?.abort();
  const offer = cards.chosen;
  if (work || !photo || !offer || engine.expected(offer, 1) !== undefined) return;
  const mine = (measuring = new AbortController());
  try {
    await engine.measure(offer, mine.signal);
    refresh();
  } catch (error) {
    // what cannot be loaded is said here, and again when it is to be used
    if (!mine.signal.aborted) warn(messageOf(error));
  }
}

/** Enlarge what waits, one after the other; if nothing does, what is shown once more. */
async function run(): Promise<void> {
  measuring?.abort();
  if (!queue.waiting.length && queue.shown) queue.shown.state = "waiting";
  let next: Item | undefined = queue.shown?.state === "waiting" ? queue.shown : queue.waiting[0];
  let [done, failed] = [0, 0];
  while (next) {
    const abort = new AbortController();
    work = { abort, item: next };
    await enlarge(next, abort.signal);
    if (next.state === "failed") failed++;
    else done++;
    if (abort.signal.aborted && queue.items.includes(next)) break;
    next = queue.waiting[0];
  }
  const stopped = work?.abort.signal.aborted;
  work = undefined;
  refresh();
  if (stopped) say("Stopped.");
  else if (done + failed > 1)
    say(failed ? `Done: ${done}. Not possible: ${failed}, see the list.` : `Done: all ${done}.`);
  else if (!failed) say("Done.");
  // on a phone it lies below what is in sight
  if (!stopped && done) save.scrollIntoView({ block: "nearest", behavior: "smooth" });
}

async function enlarge(item: Item, signal: AbortSignal): Promise<void> {
  const offer = cards.chosen;
  const { wish } = size;
  const by = engine; // what is chosen meanwhile counts from the next picture on
  item.state = "working";
  item.error = undefined;
  queue.update(item);
  refresh();
  let own: Photo | undefined;
  try {
    own = await readPhoto(item.file);
    const { width, height } = own.bitmap;
    item.size = { width, height };
    if (!offer) throw new Error("Choose a model first.");
    checkSize(item, offer);
    const remaining = { of: new Remaining(by.expected(offer, width * height)) };
    let computing = false;
    const outcome = await by.enlarge({
      file: item.file,
      photo: own,
      offer,
      wish,
      signal,
      onPreparing: (text, share) => {
        say(text);
        tell(share, undefined);
      },
      onProgress: (share) => {
        if (!computing) {
          computing = true;
          remaining.of = new Remaining(by.expected(offer, width * height));
          say(`Enlarging ${item.file.name}…`);
          if (queue.shown === item) prepare(item);
        }
        tell(share, remaining.of.at(share));
      },
      onTile: (part, scale) => {
        if (part.preview && queue.shown === item) viewer.put(part.preview, part.left, part.top, scale);
      },
    });
    item.outcome = outcome;
    item.state = "done";
    if (queue.shown === item) await present(item);
  } catch (error) {
    item.state = signal.aborted ? "waiting" : "failed";
    if (!signal.aborted) {
      item.error = messageOf(error);
      warn(item.error, ...remedies(item, error));
    }
    if (queue.shown === item) viewer.withdraw();
  } finally {
    own?.bitmap.close();
    queue.update(item);
    refresh();
    void weigh();
  }
}

/** A result that no canvas holds, found before it is computed. */
class TooLargeError extends Error {}

function checkSize({ size: given }: Item, offer: Offer): void {
  const result = given && sizeOf(given, size.wish);
  if (!engine.draws || !result || fits(result.width, result.height)) return;
  throw new TooLargeError(
    `The result would be ${result.width} × ${result.height} pixels, more than this browser can hold in one ` +
      `picture. Make it smaller, or run on your computer: esrgan upscale PHOTO --model ${offer.id}`,
  );
}

function remedies(item: Item, error: unknown): Parameters<typeof warn>[1][] {
  if (!(error instanceof TooLargeError) || !item.size) return [];
  const width = largestWidth(item.size, sizeOf(item.size, size.wish).width);
  return [
    {
      label: `Make it ${width} pixels wide`,
      act: () => {
        size.wishedWidth = width;
        item.state = "waiting";
        item.error = undefined;
        queue.update(item);
        refresh();
        start.focus();
      },
    },
  ];
}

function prepare(item: Item): void {
  if (!item.size) return;
  const { width, height } = sizeOf(item.size, size.wish);
  if (fits(width, height)) viewer.prepare(width, height);
}

async function present(item: Item): Promise<void> {
  if (!item.outcome) return;
  if (!fits(item.outcome.width, item.outcome.height)) {
    warn("The result is too large for this browser to show. It can be saved as PNG.");
    return;
  }
  const bitmap = await createImageBitmap(item.outcome.png);
  if (queue.shown === item) {
    viewer.finish(bitmap);
    facts.replaceChildren(
      ...item.outcome.facts.flatMap(([name, value]) => [
        made("dt", { textContent: name }),
        made("dd", { textContent: value }),
      ]),
    );
  }
  bitmap.close();
}

function tell(share: number | undefined, milliseconds: number | undefined): void {
  if (share === undefined) progress.removeAttribute("value");
  else progress.value = share;
  const parts = share === undefined ? [] : [`${Math.floor(share * 100)} %`];
  if (milliseconds !== undefined) parts.push(`${duration(milliseconds)} left`);
  left.textContent = parts.join(" · ");
}

let weighing = 0;
/** Say how large the file of the shown result would be. */
async function weigh(): Promise<void> {
  const mine = ++weighing;
  const item = queue.shown;
  const button = element("save-one", HTMLButtonElement);
  button.textContent = `Save ${format.name}`;
  viewer.background = (photo?.transparent ? format.background : undefined) ?? "";
  if (!item?.outcome) return;
  await new Promise((resolve) => setTimeout(resolve, 150)); // a slider is drawn along
  if (mine !== weighing) return;
  try {
    const file = await format.encode(item);
    if (mine === weighing) button.textContent = `Save ${format.name}, ${fileSize(file.size)}`;
  } catch (error) {
    if (mine === weighing) warn(messageOf(error));
  }
}

async function saveOne(): Promise<void> {
  const item = queue.shown;
  if (!item) return;
  try {
    download(await format.encode(item), resultName(item, format.extension));
  } catch (error) {
    warn(messageOf(error));
  }
}

async function saveAll(): Promise<void> {
  const items = queue.done;
  try {
    const file = await zipped(items, format, (done) =>
      say(`Packing picture ${done + 1} of ${items.length}…`),
    );
    say("Packed.");
    download(file, "enlarged.zip");
  } catch (error) {
    warn(messageOf(error));
  }
}

/** A model's folder of the visitor's own. */
function openOwn(files: File[]): void {
  if (!files.length) return;
  const name = files[0]!.webkitRelativePath.split("/")[0] ?? "";
  const own: Offer = {
    id: `own ${Date.now()}`,
    title: name || "Your model",
    purpose: "Opened from a folder on this computer.",
    bytes: files.reduce((sum, { size: bytes }) => sum + bytes, 0),
    scale: 4,
    source: files,
  };
  cards.show([...cards.all, own], own.id);
  refresh();
  void measure();
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

takeIn((files) => void take(files));
start.addEventListener("click", () => {
  if (work) work.abort.abort();
  else void run();
});
backend.addEventListener("change", () => {
  page.backend = backend.value as BackendName | "auto";
  refresh();
  void measure();
});
const folder = element("folder", HTMLInputElement);
element("own", HTMLButtonElement).addEventListener("click", () => folder.click());
folder.addEventListener("change", () => {
  openOwn([...(folder.files ?? [])]);
  folder.value = "";
});
element("save-one", HTMLButtonElement).addEventListener("click", () => void saveOne());
element("save-all", HTMLButtonElement).addEventListener("click", () => void saveAll());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") work?.abort.abort();
});

/** Choose who computes: each has its models. */
async function choose(next: Engine): Promise<void> {
  measuring?.abort();
  engine = next;
  const found = await next.offers();
  if (engine !== next) return;
  cards.show(found, cards.chosen?.id);
  element("page-only", HTMLDivElement).hidden = next !== page;
  refresh();
  void measure();
}

void choose(page);
void ComputerEngine.find().then((computer) => {
  if (!computer) return;
  element("place-box", HTMLElement).hidden = false;
  element("place", HTMLElement).addEventListener("change", (event) => {
    void choose((event.target as HTMLInputElement).value === "computer" ? computer : page);
  });
});
if (import.meta.env.PROD && "serviceWorker" in navigator) void navigator.serviceWorker.register("sw.js");
