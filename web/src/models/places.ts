/** Where a model may be: on the web, among files that were chosen, in memory. */
import type { Bytes } from "./bytes.js";
import { DownloadError, messageOf } from "../errors.js";
import type { FetchFunction, ModelRequest } from "../options.js";

export const MANIFEST = "model.json";

/** Reads the files of a model's folder by their names. */
export interface Place {
  /** For messages. */
  readonly name: string;
  /** Whether reading costs a transfer, so that a cache is of use. */
  readonly remote: boolean;
  /** @param progress told how many bytes are there, while they come */
  read(file: string, signal: AbortSignal | undefined, progress?: (count: number) => void): Promise<Bytes>;
}

/** The server cannot be reached, or nothing is answered: a copy that was kept is of use. */
class Unreachable extends DownloadError {}

export function isUnreachable(error: unknown): boolean {
  return error instanceof Unreachable;
}

export interface WebOptions {
  readonly request?: ModelRequest | undefined;
  readonly fetch?: FetchFunction | undefined;
}

/** A model on the web: model.json's address, data files beside it, with the same signature where it is signed. */
export function webPlace(url: string, options: WebOptions = {}): Place {
  return {
    name: url,
    remote: true,
    async read(file, signal, progress) {
      return await download(
        file === MANIFEST ? url : beside(url, file),
        file === MANIFEST,
        signal,
        progress,
        options,
      );
    },
  };
}

function beside(url: string, file: string): string {
  let address: URL;
  try {
    address = new URL(file, url);
  } catch {
    throw new DownloadError(
      `the address of ${file} cannot be derived from ${url}; ` +
        `give each file's address: { "${MANIFEST}": ..., "${file}": ... }`,
    );
  }
  address.search ||= new URL(url).search;
  return address.href;
}

/** Files by their names: addresses, or what holds their bytes. */
export type FileMap = Readonly<Record<string, string | Blob | Bytes>>;

/**
 * @param name for messages
 * @param files with those that have an address, those on the web too
 */
export function filesPlace(name: string, files: FileMap, options: WebOptions = {}): Place {
  return {
    name,
    remote: Object.values(files).some((file) => typeof file === "string"),
    async read(wanted, signal, progress) {
      const file = Object.hasOwn(files, wanted) ? files[wanted] : undefined;
      if (file === undefined) {
        const given = Object.keys(files).join(", ") || "none";
        throw new DownloadError(
          `${wanted} is not among the given files (${given}); give all files of the model's folder`,
        );
      }
      if (typeof file === "string")
        return await download(file, wanted === MANIFEST, signal, progress, options);
      if (file instanceof Uint8Array) return file;
      try {
        return new Uint8Array(await file.arrayBuffer());
      } catch (error) {
        throw new DownloadError(`${wanted} cannot be read: ${messageOf(error)}; choose the files again`);
      }
    },
  };
}

async function download(
  address: string,
  isManifest: boolean,
  signal: AbortSignal | undefined,
  progress: ((count: number) => void) | undefined,
  { request, fetch: ask = (given, options) => fetch(given, options) }: WebOptions,
): Promise<Bytes> {
  const shown = address.startsWith("data:") ? "the data: address" : address;
  let response: Response;
  try {
    response = await ask(address, {
      ...(request?.headers ? { headers: { ...request.headers } } : {}),
      ...(request?.credentials ? { credentials: request.credentials } : {}),
      // the manifest is asked for anew, so that a new model is seen; data files are known by their hash
      cache: isManifest ? "no-cache" : "default",
      signal: signal ?? null,
    });
    if (response.ok) return await bytesOf(response, progress);
  } catch (error) {
    signal?.throwIfAborted();
    throw new Unreachable(
      `${shown} cannot be fetched: ${messageOf(error)}; check the address, and whether its server allows this page ` +
        "(CORS) and the page allows its server (Content-Security-Policy: connect-src)",
    );
  }
  const { status } = response;
  const refused =
    status === 401 || status === 403 ? "; set headers in `request`, or use a signed address" : "";
  throw new DownloadError(`${shown} cannot be fetched: the server answered ${status}${refused}`);
}

/** The whole body, as it comes. */
async function bytesOf(response: Response, progress: ((count: number) => void) | undefined): Promise<Bytes> {
  if (!progress || !response.body) return new Uint8Array(await response.arrayBuffer());
  const reader = response.body.getReader();
  const parts: Uint8Array[] = [];
  let count = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    count += value.length;
    progress(count);
  }
  const all = new Uint8Array(count);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
