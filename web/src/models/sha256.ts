/** sha256 by the platform; by a library where a page is not served securely and has no `crypto.subtle`. */
import { sha256 as digestOf } from "@noble/hashes/sha2.js";
import type { Bytes } from "./bytes.js";

export async function sha256(data: Bytes): Promise<string> {
  const subtle = (globalThis.crypto as Crypto | undefined)?.subtle;
  const digest = subtle ? new Uint8Array(await subtle.digest("SHA-256", data)) : digestOf(data);
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
