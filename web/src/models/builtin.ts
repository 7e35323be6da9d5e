/** The model that comes with the package; it is part of the JavaScript, so no bundler and no server must know of it. */
import type { Bytes } from "./bytes.js";
import { MANIFEST, type FileMap } from "./places.js";

export async function builtIn(): Promise<{ name: string; files: FileMap }> {
  const { name, manifest, shards } = await import("./model.js");
  const files: Record<string, Bytes> = { [MANIFEST]: new TextEncoder().encode(manifest) };
  for (const [path, text] of Object.entries(shards))
    files[path] = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return { name: `the model that comes with the package, ${name}`, files };
}
