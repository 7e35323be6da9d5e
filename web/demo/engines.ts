/** What computes: this page, by the library; or the computer behind it (`computer.ts`). */
import { Upscaler, type BackendName, type TileEvent } from "tfjs-esrgan";
import type { Offer } from "./models.js";
import { readPhoto, type Photo } from "./photo.js";
import { fileSize, pixels } from "./words.js";
import { Speeds, TILE, tile } from "./speeds.js";

/** How large the result shall be: a factor, or a width in pixels. */
export type Wish = { readonly scale: number } | { readonly width: number };

export interface Work {
  readonly file: File;
  readonly photo: Photo;
  readonly offer: Offer;
  readonly wish: Wish;
  readonly signal: AbortSignal;
  /** Told what is got ready, and the share of it where that is known. */
  readonly onPreparing: (text: string, share: number | undefined) => void;
  readonly onProgress: (share: number) => void;
  /** Told parts of the result, at `scale` times the photo's pixels. */
  readonly onTile: (tile: TileEvent, scale: number) => void;
}

export interface Outcome {
  /** The result as PNG, with what the camera wrote. */
  readonly png: Blob;
  readonly width: number;
  readonly height: number;
  /** How it was computed, for those who want to know. */
  readonly facts: readonly (readonly [name: string, value: string])[];
}

export interface Engine {
  /** Whether a result must fit on a canvas. */
  readonly draws: boolean;
  offers(): Promise<Offer[]>;
  /**
   * Open a picture file.
   *
   * @throws Error with a text for the visitor
   */
  read(file: File): Promise<Photo>;
  /** Milliseconds that a photo of so many pixels will take, if that is known. */
  expected(offer: Offer, count: number): number | undefined;
  /** Find out how fast a model is here. */
  measure(offer: Offer, signal: AbortSignal): Promise<void>;
  enlarge(work: Work): Promise<Outcome>;
}

/** The page itself. */
export class PageEngine implements Engine {
  private loaded: { readonly key: string; readonly upscaler: Upscaler } | undefined;
  private turn: Promise<unknown> = Promise.resolve();
  private readonly speeds = new Speeds();
  readonly draws = true;
  backend: BackendName | "auto" = "auto";

  constructor(readonly offers: () => Promise<Offer[]>) {}

  async read(file: File): Promise<Photo> {
    return await readPhoto(file);
  }

  private key(offer: Offer): string {
    return `${offer.title} ${offer.bytes ?? ""} ${this.backend}`;
  }

  expected(offer: Offer, count: number): number | undefined {
    return this.speeds.time(this.key(offer), count);
  }

  async measure(offer: Offer, signal: AbortSignal): Promise<void> {
    if (this.expected(offer, 1) !== undefined) return;
    await this.inTurn(async () => {
      const upscaler = await this.load(offer, signal, () => undefined);
      const key = this.key(offer);
      await upscaler.upscale(tile(), { output: "raw", signal }); // the first one fills caches
      const { milliseconds } = await upscaler.upscale(tile(), { output: "raw", signal });
      this.speeds.learn(key, TILE * TILE, milliseconds);
    });
  }

  async enlarge({ photo, offer, wish, signal, ...told }: Work): Promise<Outcome> {
    return await this.inTurn(async () => {
      const upscaler = await this.load(offer, signal, told.onPreparing);
      const key = this.key(offer);
      const { scale } = upscaler.info;
      told.onProgress(0);
      const answer = await upscaler.upscale(photo.source, {
        ...wish,
        output: "blob",
        type: "image/png",
        signal,
        onProgress: told.onProgress,
        onTile: (part) => told.onTile(part, scale),
      });
      const { width, height } = photo.bitmap;
      this.speeds.learn(key, width * height, answer.milliseconds);
      const { name, licence } = upscaler.info;
      return {
        png: answer.image,
        width: answer.width,
        height: answer.height,
        facts: [
          ["Size", pixels(answer.width, answer.height)],
          ["Time", `${(answer.milliseconds / 1000).toFixed(1)} s`],
          ["By", answer.backend],
          ["Why", answer.reason],
          ["Parts", answer.plan],
          ["Model", licence ? `${name}, ${licence}` : name],
        ],
      };
    });
  }

  private async load(offer: Offer, signal: AbortSignal, told: Work["onPreparing"]): Promise<Upscaler> {
    signal.throwIfAborted();
    const key = `${offer.id} ${this.backend}`;
    if (this.loaded?.key === key) return this.loaded.upscaler;
    await this.loaded?.upscaler.dispose();
    this.loaded = undefined;
    told("Getting the model ready…", undefined);
    const upscaler = await Upscaler.load(offer.source, {
      backend: this.backend,
      signal,
      onProgress: ({ phase, share, bytes, totalBytes }) => {
        if (phase === "download")
          told(`Fetching the model: ${fileSize(bytes)} of ${fileSize(totalBytes)}…`, share);
        else told("Getting the model ready…", undefined);
      },
    });
    this.loaded = { key, upscaler };
    return upscaler;
  }

  /** One at a time: there is memory for one model. */
  private async inTurn<T>(act: () => Promise<T>): Promise<T> {
    const mine = this.turn.catch(() => undefined).then(act);
    this.turn = mine;
    return await mine;
  }
}
