/** Pictures come in: chosen, dropped (folders too), pasted, or one of the samples. */
import cat from "../../examples/cat.jpg";
import owl from "./samples/owl.png";
import { element, made, warn } from "./page.js";

const SAMPLES = [
  { name: "cat.jpg", label: "Photo of a cat", address: cat },
  { name: "owl.png", label: "Drawing of an owl", address: owl },
];

/** @param take is given the files, never an empty list */
export function takeIn(take: (files: File[]) => void): void {
  const given = (files: Iterable<File> | undefined | null) => {
    const list = [...(files ?? [])];
    if (list.length) take(list);
  };
  const chooser = element("file", HTMLInputElement);
  for (const button of ["choose", "more"])
    element(button, HTMLButtonElement).addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", () => {
    given(chooser.files);
    chooser.value = ""; // the same file may be chosen once more
  });
  const folder = element("pictures", HTMLInputElement);
  for (const id of ["choose-folder", "more-folder"]) {
    const button = element(id, HTMLButtonElement);
    button.hidden = !("webkitdirectory" in folder); // as on some telephones
    button.addEventListener("click", () => folder.click());
  }
  folder.addEventListener("change", () => {
    const files = [...(folder.files ?? [])];
    folder.value = "";
    const pictures = files.filter(isPicture);
    if (files.length && !pictures.length) warn("There are no pictures in this folder.");
    given(pictures);
  });
  document.addEventListener("paste", (event) => given(event.clipboardData?.files));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dragging");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dragging");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dragging");
    if (event.dataTransfer) void dropped(event.dataTransfer).then(given);
  });
  element("samples", HTMLDivElement).append(
    ...SAMPLES.map(({ name, label, address }) => {
      const button = made(
        "button",
        { type: "button", className: "sample" },
        made("img", { src: address, alt: "", width: 64, height: 64 }),
        made("span", { textContent: label }),
      );
      button.addEventListener("click", () => {
        void fetch(address)
          .then((answer) => answer.blob())
          .then((blob) => take([new File([blob], name, { type: blob.type })]));
      });
      return button;
    }),
  );
}

/** Files, and those in folders. */
async function dropped(data: DataTransfer): Promise<File[]> {
  // entries are there only until the event is over
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (!entries.length) return [...data.files];
  return (await Promise.all(entries.map(filesOf))).flat();
}

async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile)
    return [
      await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)),
    ];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const all: File[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (!some.length) break;
    all.push(...(await Promise.all(some.map(filesOf))).flat());
  }
  return all.filter(isPicture);
}

/** A folder holds other things as well, and those that systems put there. */
const isPicture = ({ name, type }: File) =>
  !name.startsWith(".") && (type.startsWith("image/") || /\.(hei[cf]|avif|jxl|tiff?)$/i.test(name));
