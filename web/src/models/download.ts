/** From a model's place to checked bytes. */
import type { Bytes } from "./bytes.js";
import type { ShardCache } from "./cache.js";
import { IntegrityError } from "../errors.js";
import { parseManifest, type Manifest } from "./manifest.js";
import { sha256 } from "./sha256.js";
import { isUnreachable, MANIFEST, type Place } from "./places.js";

export interface Model {
  readonly manifest: Manifest;
  readonly shards: ArrayBuffer[];
}

export interface FetchOptions {
  cache?: ShardCache | undefined;
  signal?: AbortSignal | undefined;
  /** Told how many bytes of the shards are there, and how many there are in all. */
  progress?: ((bytes: number, total: number) => void) | undefined;
}

/**
 * @throws DownloadError a file cannot be had
 * @throws IntegrityError a file is damaged, in the cache too
 * @throws ModelError model.json is none of ours
 */
export async function fetchModel(place: Place, options: FetchOptions = {}): Promise<Model> {
  const { signal, progress } = options;
  const cache = place.remote ? options.cache : undefined;
  const manifest = await fetchManifest(place, cache, signal);
  const shards: ArrayBuffer[] = [];
  let bytes = 0;
  progress?.(0, manifest.bytes);
  for (const { path, sha256: expected } of manifest.shards) {
    signal?.throwIfAborted();
    const shard = await fetchShard(place, path, expected, cache, signal, (count) =>
      progress?.(Math.min(bytes + count, manifest.bytes), manifest.bytes),
    );
    bytes += shard.length;
    progress?.(bytes, manifest.bytes);
    shards.push(shard.buffer);
  }
  return { manifest, shards };
}

/** It is asked for anew each time; what was kept of it serves where nothing can be reached. */
async function fetchManifest(
  place: Place,
  cache: ShardCache | undefined,
  signal: AbortSignal | undefined,
): Promise<Manifest> {
  const parse = (bytes: Bytes) => parseManifest(new TextDecoder().decode(bytes), place.name);
  // without what signs an address, which is another one each time
  const key = await sha256(new TextEncoder().encode(`${MANIFEST} of ${place.name.replace(/[?#].*/s, "")}`));
  let found: Bytes;
  try {
    found = await place.read(MANIFEST, signal);
  } catch (error) {
    const kept = isUnreachable(error) ? await cache?.get(key) : undefined;
    if (!kept) throw error;
    try {
      return parse(kept);
    } catch {
      await cache?.delete(key);
      throw error;
    }
  }
  const manifest = parse(found);
  await cache?.put(key, found);
  return manifest;
}

async function fetchShard(
  place: Place,
  path: string,
  expected: string,
  cache: ShardCache | undefined,
  signal: AbortSignal | undefined,
  progress: (count: number) => void,
): Promise<Bytes> {
  const kept = await cache?.get(expected);
  if (kept) {
    if ((await sha256(kept)) === expected) return kept;
    await cache?.delete(expected);
  }
  const data = whole(await place.read(path, signal, progress));
  const found = await sha256(data);
  if (found !== expected) {
    throw new IntegrityError(
      `${path} of ${place.name} is damaged: its sha256 is ${found} instead of ${expected}; ` +
        "load it again, and if it stays damaged, upload the model's folder again",
    );
  }
  await cache?.put(expected, data);
  return data;
}

/** All of its buffer: TF.js takes buffers. */
function whole(data: Bytes): Bytes {
  return data.length === data.buffer.byteLength ? data : data.slice();
}
