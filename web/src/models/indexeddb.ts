/** Models that TF.js's `model.save("indexeddb://name")` stored in this browser. */
import type { Bytes } from "./bytes.js";
import { DownloadError, messageOf } from "../errors.js";
import { MANIFEST, type Place } from "./places.js";

const DATABASE = "tensorflowjs";
const STORE = "models_store";
const SHARD = 4 * 2 ** 20; // bytes of a data file but the last, as `esrgan convert` cuts them

/** What TF.js stores; weights in one piece. */
interface Saved {
  readonly modelArtifacts: {
    readonly format?: string;
    readonly modelTopology: unknown;
    readonly signature?: unknown;
    readonly userDefinedMetadata?: { readonly esrgan?: { readonly shards?: Record<string, string> } };
    readonly weightSpecs: unknown;
    readonly weightData: ArrayBuffer;
  };
}

export const SAVED = /^indexeddb:\/\//;

/** @param address `indexeddb://` and the name under which it was saved */
export function savedPlace(address: string): Place {
  let files: Promise<Map<string, Bytes>> | undefined;
  return {
    name: address,
    remote: false,
    async read(file) {
      files ??= filesOf(address);
      const found = (await files).get(file);
      if (!found) throw new DownloadError(`${address} has no ${file}; save the model again`);
      return found;
    },
  };
}

async function filesOf(address: string): Promise<Map<string, Bytes>> {
  let saved: Saved | undefined;
  try {
    saved = await lookUp(address.replace(SAVED, ""));
  } catch (error) {
    throw new DownloadError(`${address} cannot be read: ${messageOf(error)}`);
  }
  if (!saved)
    throw new DownloadError(`this site has saved no model as ${address} in this browser; save it first`);
  const { modelTopology, signature, userDefinedMetadata, weightSpecs, weightData, format } =
    saved.modelArtifacts;
  const paths = Object.keys(userDefinedMetadata?.esrgan?.shards ?? {});
  const document = {
    format: format ?? "graph-model",
    modelTopology,
    signature,
    userDefinedMetadata,
    weightsManifest: [{ paths, weights: weightSpecs }],
  };
  const files = new Map<string, Bytes>([[MANIFEST, new TextEncoder().encode(JSON.stringify(document))]]);
  paths.forEach((path, index) => {
    files.set(path, new Uint8Array(weightData.slice(index * SHARD, (index + 1) * SHARD)));
  });
  return files;
}

async function lookUp(key: string): Promise<Saved | undefined> {
  const answer = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error("IndexedDB failed"));
    });
  const opening = indexedDB.open(DATABASE);
  let missing = false;
  opening.onupgradeneeded = () => {
    missing = true;
    opening.transaction?.abort(); // one made here would be empty, and TF.js would never fill it
  };
  const database = await answer(opening).catch((error: unknown) => {
    if (missing) return undefined;
    throw error;
  });
  if (!database) return undefined;
  try {
    if (!database.objectStoreNames.contains(STORE)) return undefined;
    const store = database.transaction(STORE, "readonly").objectStore(STORE);
    return (await answer(store.get(key))) as Saved | undefined;
  } finally {
    database.close();
  }
}
