/** The demo page: a photo in, an enlarged one out. */
import { Upscaler, type BackendName, type UpscaleResult } from "tfjs-esrgan";
import { element } from "./page.js";
import { Viewer } from "./viewer.js";

const OWN = "own";

const model = element("model", HTMLSelectElement);
const backend = element("backend", HTMLSelectElement);
const start = element("start", HTMLButtonElement);
const stop = element("abort", HTMLButtonElement);
const progress = element("progress", HTMLProgressElement);
const status = element("status", HTMLParagraphElement);
const facts = element("facts", HTMLDListElement);
const save = element("save", HTMLDivElement);
const folder = element("folder", HTMLInputElement);
const viewer = new Viewer();

let photo: ImageBitmap | undefined;
let photoName = "photo";
let result: HTMLCanvasElement | undefined;
let work: AbortController | undefined;
let loaded: { key: string; upscaler: Upscaler } | undefined;
let files: File[] = [];

/** `models/models.json` lists the models that the site offers: [{ "name": ..., "folder": ... }]. */
async function listModels(): Promise<void> {
  try {
    const response = await fetch("models/models.json");
    if (response.ok) {
      for (const { name, folder: place } of (await response.json()) as { name: string; folder: string }[]) {
        model.add(new Option(name, `models/${place}/model.json`));
      }
    }
  } catch {
    // a site without models: the visitor brings one
  }
  model.add(new Option("a folder of yours…", OWN));
  model.selectedIndex = 0;
  if (model.value === OWN) model.prepend(new Option("choose…", "", true, true));
  refresh();
}

function say(text: string, error = false): void {
  status.textContent = text;
  status.classList.toggle("error", error);
}

function refresh(): void {
  start.disabled = !photo || !model.value || work !== undefined || (model.value === OWN && !files.length);
  stop.disabled = work === undefined;
  progress.hidden = work === undefined;
  model.disabled = backend.disabled = work !== undefined;
}

async function take(file: Blob | undefined): Promise<void> {
  if (!file || work) return;
  try {
    photo = await createImageBitmap(file);
  } catch {
    say("This is no picture that the browser can read.", true);
    return;
  }
  photoName = file instanceof File ? file.name.replace(/\.\w+$/, "") : "photo";
  result = undefined;
  save.hidden = facts.hidden = true;
  viewer.show(photo);
  say(`${photo.width} × ${photo.height} pixels.`);
  refresh();
}

async function upscalerFor(signal: AbortSignal): Promise<Upscaler> {
  const key = `${model.value} ${backend.value}`;
  if (loaded?.key === key) return loaded.upscaler;
  await loaded?.upscaler.dispose();
  loaded = undefined;
  const upscaler = await Upscaler.load(model.value === OWN ? files : model.value, {
    backend: backend.value as BackendName | "auto",
    wasmPaths: "wasm/",
    signal,
    onProgress: ({ phase, share }) => {
      say(phase === "download" ? "Loading the model…" : "Starting the backend…");
      progress.value = phase === "download" ? share : 0;
    },
  });
  loaded = { key, upscaler };
  return upscaler;
}

async function run(): Promise<void> {
  if (!photo) return;
  work = new AbortController();
  save.hidden = facts.hidden = true;
  progress.value = 0;
  refresh();
  try {
    const upscaler = await upscalerFor(work.signal);
    say(`Enlarging on ${upscaler.backend}…`);
    viewer.prepare(photo, upscaler.info.scale);
    viewer.reveal();
    const answer = await upscaler.upscale(photo, {
      output: "canvas",
      signal: work.signal,
      onProgress: (share) => (progress.value = share),
      onTile: ({ preview, left, top }) => {
        if (preview) viewer.put(preview, left, top);
      },
    });
    result = answer.image;
    const pixels = result.getContext("2d")!.getImageData(0, 0, answer.width, answer.height);
    viewer.put(pixels, 0, 0);
    tell(answer, upscaler);
    say("Done.");
    save.hidden = false;
  } catch (error) {
    if (work.signal.aborted) say("Stopped.");
    else say(error instanceof Error ? error.message : String(error), true);
  } finally {
    work = undefined;
    refresh();
  }
}

function tell(answer: UpscaleResult<HTMLCanvasElement>, upscaler: Upscaler): void {
  const rows: [string, string][] = [
    ["Size", `${answer.width} × ${answer.height} pixels`],
    ["Time", `${(answer.milliseconds / 1000).toFixed(1)} s`],
    ["Backend", answer.backend],
    ["Why", answer.reason],
    ["Tiles", answer.plan],
    ["Model", `${upscaler.info.name}${upscaler.info.licence ? `, ${upscaler.info.licence}` : ""}`],
  ];
  facts.replaceChildren(
    ...rows.flatMap(([name, value]) => {
      const [term, text] = [document.createElement("dt"), document.createElement("dd")];
      term.textContent = name;
      text.textContent = value;
      return [term, text];
    }),
  );
  facts.hidden = false;
}

function download(): void {
  const type = element("format", HTMLSelectElement).value;
  result?.toBlob(
    (blob) => {
      if (!blob) {
        say("The browser cannot write this format.", true);
        return;
      }
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `${photoName}-${loaded?.upscaler.info.scale ?? ""}x.${blob.type.replace("image/", "").replace("jpeg", "jpg")}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    },
    type,
    0.92,
  );
}

const file = element("file", HTMLInputElement);
file.addEventListener("change", () => void take(file.files?.[0]));
document.addEventListener("paste", (event) => void take(event.clipboardData?.files[0]));
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dragging");
});
document.addEventListener("dragleave", () => document.body.classList.remove("dragging"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dragging");
  void take(event.dataTransfer?.files[0]);
});
model.addEventListener("change", () => {
  if (model.value === OWN) folder.click();
  refresh();
});
folder.addEventListener("change", () => {
  files = [...(folder.files ?? [])];
  void loaded?.upscaler.dispose();
  loaded = undefined;
  refresh();
});
start.addEventListener("click", () => void run());
stop.addEventListener("click", () => work?.abort());
element("download", HTMLButtonElement).addEventListener("click", download);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") work?.abort();
});

void listModels();
if (import.meta.env.PROD && "serviceWorker" in navigator) void navigator.serviceWorker.register("sw.js");
