/** Debian's Chromium, driven by playwright-core; pages from a server on the loopback address. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { chromium, type Browser } from "playwright-core";
import { afterAll } from "vitest";

const PLACES = [
  process.env["CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];
const FLAGS = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-angle=gl-egl",
  "--ignore-gpu-blocklist",
  "--disable-gpu-sandbox",
];

/** Flags for WebGPU computed by the processor, where the browser has no other. */
export const WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

const found = PLACES.find((place) => place !== undefined && existsSync(place));
if (!found) {
  const line =
    "NO CHROMIUM ON THIS MACHINE: the tests in a real browser do not run (CHROMIUM=/path/to/it, or apt-get install chromium)";
  if (process.env["CI"]) throw new Error(line);
  console.error(`\n${"!".repeat(line.length)}\n${line}\n${"!".repeat(line.length)}\n`);
}

/** Whether there is a browser to test with. */
export const hasChromium = found !== undefined;

export async function launch(more: string[] = []): Promise<Browser> {
  return await chromium.launch({ executablePath: found!, headless: true, args: [...FLAGS, ...more] });
}

const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
  ".json": "application/json",
};

export interface Site {
  readonly url: string;
  /** Paths that were asked for. */
  readonly asked: string[];
  close(): Promise<void>;
}

export interface SiteOptions {
  /** Whether pages may have threads; true unless given. */
  readonly isolated?: boolean;
  /** May replace a file's bytes. */
  readonly change?: (path: string, bytes: Buffer) => Buffer;
  readonly headers?: Record<string, string>;
  /** The page that is given in place of what is not there. */
  readonly missing?: string;
}

/**
 * Serve files; folders by the start of the address, the longest first.
 */
export async function serveSite(
  folders: Record<string, string>,
  { isolated = true, change = (_, bytes) => bytes, headers: more = {}, missing }: SiteOptions = {},
): Promise<Site> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname));
    asked.push(path);
    const prefix = Object.keys(folders)
      .sort((a, b) => b.length - a.length)
      .find((start) => path.startsWith(start));
    const rest = prefix === undefined ? "" : path.slice(prefix.length);
    let file = prefix === undefined ? "" : join(folders[prefix]!, rest);
    if (rest === "" && prefix !== undefined) file = folders[prefix]!;
    if (file && statSync(file, { throwIfNoEntry: false })?.isDirectory()) file = join(file, "index.html");
    if (!file || !existsSync(file)) {
      if (missing === undefined) response.writeHead(404).end();
      else response.writeHead(200, { "Content-Type": TYPES[".html"] }).end(missing);
      return;
    }
    const headers: Record<string, string> = {
      ...more,
      "Content-Type": TYPES[extname(file)] ?? "application/octet-stream",
    };
    if (isolated) {
      headers["Cross-Origin-Opener-Policy"] = "same-origin";
      headers["Cross-Origin-Embedder-Policy"] = "require-corp";
    }
    response.writeHead(200, headers).end(change(path, readFileSync(file)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

let scratch: string | undefined;
// not when the process ends: vitest may end it by a signal
afterAll(() => {
  if (scratch) rmSync(scratch, { recursive: true, force: true });
});

/** A folder that is removed when the tests of a file have run. */
export function scratchFolder(): string {
  scratch ??= mkdtempSync(join(tmpdir(), "tfjs-esrgan-browser-"));
  return mkdtempSync(join(scratch, "folder-"));
}
