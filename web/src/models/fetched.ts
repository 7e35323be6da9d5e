/** A model fetched by the user's own `fetch`, which cannot go to a worker. */
import { browserCache } from "./cache.js";
import { fetchModel } from "./download.js";
import type { FetchFunction } from "../options.js";
import { placeOf } from "./origins.js";
import { MANIFEST } from "./places.js";
import type { Origin, RunnerHooks, RunnerOptions } from "../threads/protocol.js";

/** The model's files. */
export async function fetchedHere(
  origin: Origin,
  options: RunnerOptions,
  fetch: FetchFunction,
  { signal, onProgress }: RunnerHooks,
): Promise<Origin> {
  const place = placeOf(origin, { request: options.request, fetch });
  const { manifest, shards } = await fetchModel(place, {
    cache: options.cache ? await browserCache() : undefined,
    signal,
    progress: (bytes, totalBytes) =>
      onProgress?.({ phase: "download", share: totalBytes ? bytes / totalBytes : 1, bytes, totalBytes }),
  });
  const files = Object.fromEntries(
    manifest.shards.map(({ path }, index) => [path, new Uint8Array(shards[index]!)]),
  );
  return {
    name: place.name,
    files: { [MANIFEST]: new TextEncoder().encode(JSON.stringify(manifest.document)), ...files },
  };
}
