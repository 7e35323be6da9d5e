/** From a model's place to checked bytes. */
import type { ShardCache } from "./cache.js";
import { DownloadError, IntegrityError, messageOf } from "./errors.js";
import { parseManifest, type Manifest } from "./manifest.js";
import { sha256 } from "./sha256.js";

/** Reads a file by its name beside model.json; `undefined` name: model.json itself. */
export interface Place {
  /** For messages. */
  readonly name: string;
  read(file: string, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>>;
  /** Whether reading costs a transfer, so that a cache is of use. */
  readonly remote: boolean;
}

export interface Model {
  readonly manifest: Manifest;
  readonly shards: ArrayBuffer[];
}

export interface FetchOptions {
  cache?: ShardCache | undefined;
  signal?: AbortSignal | undefined;
  /** Told the share of shards that is there, from 0 to 1. */
  progress?: ((share: number) => void) | undefined;
}

/**
 * @throws DownloadError a file cannot be had
 * @throws IntegrityError a file is damaged, in the cache too
 * @throws ModelError model.json is none of ours
 */
export async function fetchModel(place: Place, options: FetchOptions = {}): Promise<Model> {
  const text = new TextDecoder().decode(await place.read("model.json", options.signal));
  const manifest = parseManifest(text, place.name);
  const cache = place.remote ? options.cache : undefined;
  const shards: ArrayBuffer[] = [];
  for (const { path, sha256: expected } of manifest.shards) {
    options.signal?.throwIfAborted();
    shards.push((await fetchShard(place, path, expected, cache, options.signal)).buffer);
    options.progress?.(shards.length / manifest.shards.length);
  }
  return { manifest, shards };
}

async function fetchShard(
  place: Place,
  path: string,
  expected: string,
  cache: ShardCache | undefined,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const kept = await cache?.get(expected);
  if (kept) {
    if ((await sha256(kept)) === expected) return kept;
    await cache?.delete(expected);
  }
  const data = await place.read(path, signal);
  const found = await sha256(data);
  if (found !== expected) {
    throw new IntegrityError(
      `${path} of ${place.name} is damaged: its sha256 is ${found}, it should be ${expected}; ` +
        "publish the model's folder again, or fetch it again",
    );
  }
  await cache?.put(expected, data);
  return data;
}

/** A model on the web: model.json's address, data files beside it. */
export function webPlace(url: string): Place {
  return {
    name: url,
    remote: true,
    async read(file, signal) {
      const address = file === "model.json" ? url : new URL(file, url).href;
      let response: Response;
      try {
        // the manifest is asked for anew, so that a new model is seen; data files are known by their hash
        response = await fetch(address, {
          signal: signal ?? null,
          cache: file === "model.json" ? "no-cache" : "default",
        });
        if (response.ok) return new Uint8Array(await response.arrayBuffer());
      } catch (error) {
        signal?.throwIfAborted();
        throw new DownloadError(`${address} cannot be fetched: ${messageOf(error)}`);
      }
      throw new DownloadError(`${address} cannot be fetched: the server answered ${response.status}`);
    },
  };
}

/** Files that the user chose: model.json and its data files, found by name. */
export function filePlace(files: Iterable<File>): Place {
  const known = new Map(Array.from(files, (file) => [file.name, file]));
  return {
    name: "model.json among the files given",
    remote: false,
    async read(name) {
      const file = known.get(name);
      if (!file) {
        const given = [...known.keys()].join(", ") || "none";
        throw new DownloadError(
          `${name} is missing among the files given (${given}); choose all files of the model's folder`,
        );
      }
      return new Uint8Array(await file.arrayBuffer());
    },
  };
}
