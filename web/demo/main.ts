/** The demo page: pictures in, enlarged ones out. What is here joins the parts. */
import type { BackendName } from "tfjs-esrgan";
import { ComputerEngine } from "./computer.js";
import { PageEngine, type Engine } from "./engines.js";
import { takeIn } from "./intake.js";
import { Cards, offers, ownOffer } from "./models.js";
import { element, say, warn } from "./page.js";
import { Queue, thumbnail, type Item } from "./queue.js";
import { Format } from "./save.js";
import { Saving } from "./saving.js";
import { Shown } from "./shown.js";
import { SizeChoice } from "./size.js";
import { Viewer } from "./viewer.js";
import { duration, messageOf } from "./words.js";
import { Working } from "./working.js";

const start = element("start", HTMLButtonElement);
const backend = element("backend", HTMLSelectElement);
const page = new PageEngine(offers);
let engine: Engine = page;
const read = async (file: File) => await engine.read(file);

const viewer = new Viewer();
const queue = new Queue((item) => void shown.show(item), removed);
const size = new SizeChoice(refresh);
const cards = new Cards(chosen);
const format = new Format(weigh);
const saving = new Saving(queue, format);
const shown: Shown = new Shown(
  viewer,
  queue,
  read,
  (item) => working.resultOf(item),
  () => {
    weigh();
    chosen();
  },
);
const working: Working = new Working({
  queue,
  cards,
  size,
  viewer,
  shown,
  engine: () => engine,
  read,
  changed() {
    refresh();
    weigh();
  },
});

function refresh(): void {
  const item = queue.shown;
  const waiting = queue.waiting.length;
  const again = !waiting && item?.outcome !== undefined;
  start.disabled = !working.now && !queue.items.length;
  start.classList.toggle("stop", working.now !== undefined);
  start.classList.toggle("again", !working.now && again);
  if (working.now) start.textContent = "Stop";
  else if (waiting > 1) start.textContent = `Enlarge ${waiting} pictures`;
  else start.textContent = again ? "Enlarge again" : "Enlarge";
  working.refresh();
  saving.refresh();
  size.tell(item?.size);
  cards.time((offer) => {
    const time = item?.size && engine.expected(offer, item.size.width * item.size.height);
    return time === undefined ? undefined : `about ${duration(time)} here`;
  });
}

/** Another model, picture or engine: how fast is it? */
function chosen(): void {
  refresh();
  void working.measure();
}

function weigh(): void {
  viewer.background = (shown.photo?.transparent ? format.background : undefined) ?? "";
  void saving.weigh();
}

async function take(files: File[]): Promise<void> {
  const items = files.map((file) => queue.add(file));
  for (const [index, item] of items.entries()) {
    await look(item);
    if (index === 0) await shown.show(item);
  }
  const bad = items.filter(({ state }) => state === "failed");
  if (items.length > 1) say(`${items.length - bad.length} more pictures are in the list.`);
  if (bad.length)
    warn(bad.length > 1 ? `${bad.length} files cannot be opened; the list says why.` : (bad[0]?.error ?? ""));
  refresh();
}

/** Find out a picture's size, and how it looks. */
async function look(item: Item): Promise<void> {
  try {
    const { bitmap } = await read(item.file);
    item.size = { width: bitmap.width, height: bitmap.height };
    item.thumbnail = await thumbnail(bitmap);
    bitmap.close();
    item.state = "waiting";
    item.error = undefined;
  } catch (error) {
    item.state = "failed";
    item.error = messageOf(error);
  }
  queue.update(item);
}

function removed(item: Item): void {
  if (working.now?.item === item) working.stop();
  refresh();
}

/** Choose who computes: each has its models. */
async function choose(next: Engine): Promise<void> {
  working.stopMeasuring();
  engine = next;
  const found = await next.offers();
  if (engine !== next) return;
  cards.show(found, cards.chosen?.id);
  element("page-only", HTMLDivElement).hidden = next !== page;
  chosen();
  // what the one could not open the other may
  for (const item of queue.items.filter((each) => each.state === "failed" && !each.size)) {
    await look(item);
    if (item === queue.shown) await shown.show(item);
  }
}

takeIn((files) => void take(files));
start.addEventListener("click", () => {
  if (working.now) working.stop();
  else void working.run();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") working.stop();
});
backend.addEventListener("change", () => {
  page.backend = backend.value as BackendName | "auto";
  chosen();
});
const folder = element("folder", HTMLInputElement);
element("own", HTMLButtonElement).addEventListener("click", () => folder.click());
folder.addEventListener("change", () => {
  const files = [...(folder.files ?? [])];
  folder.value = "";
  if (!files.length) return;
  const own = ownOffer(files);
  cards.show([...cards.all, own], own.id);
  chosen();
});

void choose(page);
void ComputerEngine.find().then((computer) => {
  if (!computer) return;
  element("place-box", HTMLElement).hidden = false;
  element("place", HTMLElement).addEventListener("change", (event) => {
    void choose((event.target as HTMLInputElement).value === "computer" ? computer : page);
  });
});
if (import.meta.env.PROD && "serviceWorker" in navigator) void navigator.serviceWorker.register("sw.js");
