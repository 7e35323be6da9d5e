/** The models that can be chosen, as cards: what each is for, how large it is, how long it takes here. */
import type { ModelSource } from "tfjs-esrgan";
import { element, made } from "./page.js";
import { fileSize } from "./words.js";

export interface Offer {
  readonly id: string;
  readonly title: string;
  /** What it is for. */
  readonly purpose: string;
  /** Bytes to fetch. */
  readonly bytes: number | undefined;
  /** Times as large as the photo. */
  readonly scale: number;
  /** undefined: the model that comes with the page, or one of this computer's. */
  readonly source: ModelSource | undefined;
}

/** An entry of `models/models.json`, with which a site lists its models. */
interface Listed {
  readonly name: string;
  readonly folder: string;
  readonly summary?: string;
  readonly bytes?: number;
  readonly scale?: number;
}

const BUILT_IN = "esrgan-lite-x4";
/** Titles and purposes for people who do not know the field. */
const KNOWN: Readonly<Record<string, readonly [title: string, purpose: string]>> = {
  [BUILT_IN]: ["Clean pictures", "Screenshots, graphics and photos without noise. Small and quick."],
  "esrgan-lite-x4-gan": [
    "Small or compressed photos",
    "Takes away noise and JPEG traces, and sharpens edges. Small and quick.",
  ],
  "realesr-general-x4v3": [
    "Everyday photos",
    "From a phone, the web or a scan: takes away noise and JPEG traces.",
  ],
  "realesr-animevideov3": [
    "Anime and comics",
    "Drawn pictures and frames of films: clean lines, even areas.",
  ],
  "realesrgan-x4plus": ["Photos, thorough", "The best result for damaged photos. Takes many times as long."],
  "realesrgan-x4plus-anime": [
    "Drawings, thorough",
    "The finest lines in drawings. Takes many times as long.",
  ],
};

export function describe(name: string, summary: string | undefined): Pick<Offer, "title" | "purpose"> {
  const [title, purpose] = KNOWN[name] ?? [name, summary ?? "No description."];
  return { title, purpose };
}

/** Whether this page has words of its own for a model. */
export const isKnown = (name: string) => Object.hasOwn(KNOWN, name);

/** What the site lists, and in any case the model that comes with the page. */
export async function offers(): Promise<Offer[]> {
  let listed: Listed[] = [];
  try {
    const response = await fetch("models/models.json");
    if (response.ok) listed = (await response.json()) as Listed[];
  } catch {
    // a site without a list
  }
  const found = listed.map(({ name, folder, summary, bytes, scale }) => ({
    id: folder,
    ...describe(name, summary),
    bytes,
    scale: scale ?? 4,
    source: `models/${folder}/model.json`,
  }));
  if (listed.some(({ name }) => name === BUILT_IN)) return found;
  return [
    { id: BUILT_IN, ...describe(BUILT_IN, undefined), bytes: 700_000, scale: 4, source: undefined },
    ...found,
  ];
}

/** A model's folder of the visitor's own. */
export function ownOffer(files: readonly File[]): Offer {
  const name = files[0]!.webkitRelativePath.split("/")[0] ?? "";
  return {
    id: `own ${Date.now()}`,
    title: name || "Your model",
    purpose: "Opened from a folder on this computer.",
    bytes: files.reduce((sum, { size: bytes }) => sum + bytes, 0),
    scale: 4,
    source: files,
  };
}

/** A group of radio buttons. */
export class Cards {
  private readonly group = element("cards", HTMLDivElement);
  private offers: readonly Offer[] = [];

  /** @param onChoice told when the visitor chooses another */
  constructor(private readonly onChoice: () => void) {
    this.group.addEventListener("change", () => this.onChoice());
  }

  /** @param chosen id of the one that is chosen; the first one unless it is among them */
  show(offers: readonly Offer[], chosen?: string): void {
    this.offers = offers;
    const first = offers.find(({ id }) => id === chosen) ?? offers[0];
    this.group.replaceChildren(
      ...offers.map((offer) => {
        const radio = made("input", {
          type: "radio",
          name: "model",
          value: offer.id,
          checked: offer === first,
        });
        return made(
          "label",
          { className: "card" },
          radio,
          made("span", { className: "card-title", textContent: offer.title }),
          made("span", { className: "card-purpose", textContent: offer.purpose }),
          made("span", { className: "card-numbers", textContent: this.numbers(offer, undefined) }),
        );
      }),
    );
  }

  get all(): readonly Offer[] {
    return this.offers;
  }

  get chosen(): Offer | undefined {
    const value = this.group.querySelector<HTMLInputElement>("input:checked")?.value;
    return this.offers.find(({ id }) => id === value);
  }

  /** Write what is known of the time under each card. */
  time(wording: (offer: Offer) => string | undefined): void {
    const places = this.group.querySelectorAll(".card-numbers");
    this.offers.forEach((offer, index) => {
      const text = this.numbers(offer, wording(offer));
      if (places[index]!.textContent !== text) places[index]!.textContent = text;
    });
  }

  private numbers(offer: Offer, time: string | undefined): string {
    const size = offer.bytes === undefined ? undefined : fileSize(offer.bytes);
    return [`${offer.scale}×`, size, time].filter((part) => part !== undefined).join(" · ");
  }
}
