/** Where downloaded shards are kept, by the sha256 of their content. */
import type { Bytes } from "./bytes.js";

export interface ShardCache {
  /** The bytes stored under a sha256, unchecked, or undefined. */
  get(sha256: string): Promise<Bytes | undefined>;
  put(sha256: string, data: Bytes): Promise<void>;
  delete(sha256: string): Promise<void>;
}

const NAME = "tfjs-esrgan";

/**
 * The browser's Cache API; undefined where there is none (pages that are not served securely).
 * A full or forbidden store is no error: the model is then fetched each time.
 */
export async function browserCache(): Promise<ShardCache | undefined> {
  if (typeof caches === "undefined") return undefined;
  let store: Cache;
  try {
    store = await caches.open(NAME);
  } catch {
    return undefined;
  }
  const key = (sha256: string) => new URL(`/${NAME}/sha256/${sha256}`, location.origin).href;
  return {
    async get(sha256) {
      const response = await store.match(key(sha256));
      return response && new Uint8Array(await response.arrayBuffer());
    },
    async put(sha256, data) {
      try {
        await store.put(key(sha256), new Response(data));
      } catch {
        // the quota is used up: nothing to keep, and nothing lost
      }
    },
    async delete(sha256) {
      await store.delete(key(sha256));
    },
  };
}
