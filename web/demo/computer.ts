/** The computer behind the page, where `esrgan demo` serves it: any model, 16 bits, by PyTorch. */
import type { Engine, Outcome, Work } from "./engines.js";
import { describe, isKnown, type Offer } from "./models.js";
import { readPhoto, type Photo } from "./photo.js";
import { Speeds, TILE, tile } from "./speeds.js";
import { fileSize } from "./words.js";

/** What `GET computer` lists. */
interface Listed {
  readonly name: string;
  readonly scale?: number;
  readonly summary?: string;
  /** Bytes that it fetches first. */
  readonly fetch: number;
}

interface Report {
  readonly state: "waiting" | "loading" | "working" | "done" | "failed";
  readonly share: number;
  readonly error: string;
  readonly seconds: number;
  readonly facts: Readonly<Record<string, string>>;
}

const LOOK = 300; // ms between two looks at how far it is

export class ComputerEngine implements Engine {
  private readonly speeds = new Speeds();
  readonly draws = false;

  private constructor(
    private readonly token: string,
    private readonly listed: readonly Listed[],
  ) {}

  /** The computer, if there is one and the page's address has its key. */
  static async find(): Promise<ComputerEngine | undefined> {
    const token = location.hash.slice(1);
    if (!token) return undefined;
    try {
      const answer = await fetch("computer", { headers: { Authorization: `Bearer ${token}` } });
      if (!answer.ok) return undefined;
      return new ComputerEngine(token, ((await answer.json()) as { models: Listed[] }).models);
    } catch {
      return undefined; // a page of static files
    }
  }

  async offers(): Promise<Offer[]> {
    return await Promise.resolve(
      [...this.listed].sort(byUse).map(({ name, scale = 4, summary, fetch: bytes }) => ({
        id: name,
        ...describe(name, summary),
        bytes: bytes || undefined,
        scale,
        source: undefined,
      })),
    );
  }

  /** What this browser cannot open, as TIFF and HEIC, the computer may. */
  async read(file: File): Promise<Photo> {
    try {
      return await readPhoto(file);
    } catch {
      const shown = await (await this.ask("computer/pictures", { method: "POST", body: file })).blob();
      return await readPhoto(shown);
    }
  }

  private key = (offer: Offer) => `computer ${offer.id}`;

  expected(offer: Offer, count: number): number | undefined {
    return this.speeds.time(this.key(offer), count);
  }

  async measure(offer: Offer, signal: AbortSignal): Promise<void> {
    // a model is fetched when it is used, not when it is looked at
    if (offer.bytes !== undefined || this.expected(offer, 1) !== undefined) return;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = TILE;
    canvas.getContext("2d")!.putImageData(tile(), 0, 0);
    const file = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve));
    if (!file) return;
    const query = new URLSearchParams({ model: offer.id });
    await this.job(file, query, signal, () => undefined); // the first one prepares
    const { report } = await this.job(file, query, signal, () => undefined);
    this.speeds.learn(this.key(offer), TILE * TILE, 1000 * report.seconds);
  }

  async enlarge({ file, photo, offer, wish, signal, ...told }: Work): Promise<Outcome> {
    const query = new URLSearchParams({ model: offer.id });
    for (const [name, value] of Object.entries(wish)) query.set(name, String(value));
    told.onPreparing("Sending the picture to the computer…", undefined);
    const { report, png } = await this.job(file, query, signal, ({ state, share }) => {
      if (state === "working") told.onProgress(share);
      else if (state === "loading")
        told.onPreparing(
          offer.bytes ? `Fetching the model, ${fileSize(offer.bytes)}…` : "Getting the model ready…",
          undefined,
        );
    });
    const { width, height } = photo.bitmap;
    this.speeds.learn(this.key(offer), width * height, 1000 * report.seconds);
    const head = new DataView(await png.slice(16, 24).arrayBuffer()); // a PNG begins with its size
    return {
      png,
      width: head.getUint32(0),
      height: head.getUint32(4),
      facts: Object.entries(report.facts),
    };
  }

  /** Send a picture, wait for the result, fetch it. */
  private async job(
    file: Blob,
    query: URLSearchParams,
    signal: AbortSignal,
    told: (report: Report) => void,
  ): Promise<{ report: Report; png: Blob }> {
    const { job } = (await (
      await this.ask(`computer/jobs?${query.toString()}`, { method: "POST", body: file, signal })
    ).json()) as { job: string };
    try {
      for (;;) {
        const report = (await (await this.ask(`computer/jobs/${job}`, { signal })).json()) as Report;
        if (report.state === "failed") throw new Error(sentence(report.error));
        told(report);
        if (report.state === "done") {
          const png = await (await this.ask(`computer/jobs/${job}/picture`, { signal })).blob();
          return { report, png };
        }
        await new Promise((resolve) => setTimeout(resolve, LOOK));
        signal.throwIfAborted();
      }
    } finally {
      // an abort as well
      void this.ask(`computer/jobs/${job}`, { method: "DELETE" }).catch(() => undefined);
    }
  }

  private async ask(address: string, options: RequestInit = {}): Promise<Response> {
    let answer: Response;
    try {
      answer = await fetch(address, { ...options, headers: { Authorization: `Bearer ${this.token}` } });
    } catch (error) {
      options.signal?.throwIfAborted();
      throw new Error("The computer does not answer: is `esrgan demo` still running?", { cause: error });
    }
    if (answer.ok) return answer;
    const said = (await answer.json().catch(() => ({}))) as { error?: string };
    throw new Error(sentence(said.error ?? `the computer answers ${answer.status}`));
  }
}

/** The visitor's own first, then those for everybody, and of each those that need not be fetched. */
function byUse(one: Listed, other: Listed): number {
  const rank = ({ name, summary, fetch: bytes }: Listed) =>
    summary === undefined ? 0 : 1 + (isKnown(name) ? 0 : 2) + (bytes ? 1 : 0);
  return rank(one) - rank(other);
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
