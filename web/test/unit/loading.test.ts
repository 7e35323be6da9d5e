/** Loading in Node: files, backends, the web, and the end of it. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TfjsNetwork } from "../../src/engine/tfjs.js";
import {
  BackendError,
  DownloadError,
  IntegrityError,
  NonFiniteError,
  OptionError,
  Upscaler,
} from "../../src/node.js";
import { folderOf, testPicture } from "../fixtures.js";

const scratch = mkdtempSync(join(tmpdir(), "tfjs-esrgan-"));
afterAll(() => rmSync(scratch, { recursive: true }));

describe("loading", () => {
  const damaged = (change: (file: Buffer) => Buffer): string => {
    const folder = mkdtempSync(join(scratch, "model-"));
    cpSync(folderOf("compact-x4"), folder, { recursive: true });
    const shard = join(folder, "group1-shard1of1.bin");
    writeFileSync(shard, change(readFileSync(shard)));
    return folder;
  };

  test("a damaged shard is found before it is run", async () => {
    const folder = damaged((file) => {
      file[100]! ^= 1;
      return file;
    });
    const load = Upscaler.load(folder, { backend: "cpu" });
    await expect(load).rejects.toThrow(IntegrityError);
    await expect(load).rejects.toThrow(/group1-shard1of1.bin .* sha256/);
  });

  test("without a source it is the model that comes with the package", async () => {
    await using upscaler = await Upscaler.load();
    expect(upscaler.info).toMatchObject({ name: "esrgan-lite-x4", scale: 4, quantize: "float16" });
    expect(upscaler.engine).toBe("kernels");
  });

  test("other than addresses and pictures is refused by name", async () => {
    await expect(Upscaler.load(null as unknown as string)).rejects.toThrow(OptionError);
    await using upscaler = await Upscaler.load(folderOf("compact-x4"), { backend: "cpu" });
    const upscale = (source: unknown) => upscaler.upscale(source as Parameters<typeof upscaler.upscale>[0]);
    await expect(upscale(null)).rejects.toThrow(OptionError);
    await expect(upscale("a.png")).rejects.toThrow(OptionError);
    await expect(upscale({ width: 1, height: 1, data: [1, 2, 3, 4] })).rejects.toThrow(/not a Array/);
    const wasmPaths = join(scratch, "nowhere");
    await expect(Upscaler.load(undefined, { wasmPaths })).rejects.toThrow(
      /does not contain TF.js's .wasm files/,
    );
  });

  test("a missing folder, and a missing shard, are named", async () => {
    await expect(Upscaler.load("/nowhere/at/all")).rejects.toThrow(DownloadError);
    const folder = damaged((file) => file);
    rmSync(join(folder, "group1-shard1of1.bin"));
    await expect(Upscaler.load(folder)).rejects.toThrow(/group1-shard1of1.bin/);
  });

  test("a backend that does not start is an error, never another backend", async () => {
    await expect(Upscaler.load(folderOf("compact-x4"), { backend: "webgpu" })).rejects.toThrow(BackendError);
    await expect(Upscaler.load(folderOf("compact-x4"), { backend: "tensorflow" })).rejects.toThrow(
      /tfjs-node is not installed/,
    );
    await expect(Upscaler.load(folderOf("compact-x4"), { backend: "cuda" as "cpu" })).rejects.toThrow(
      OptionError,
    );
  });

  test("auto takes the first that works, and says why not the others", async () => {
    await using upscaler = await Upscaler.load(folderOf("compact-x4"));
    expect(upscaler.backend).toBe("wasm");
    expect(upscaler.reason).toMatch(
      /a test tile differs .*; backend webgpu does not start: .*; backend tensorflow does not start/,
    );
  });

  test("a backend that computes wrongly is not taken", async () => {
    const original = TfjsNetwork.prototype.tail as (
      ...given: unknown[]
    ) => Promise<Float32Array<ArrayBuffer>>;
    const wrong = async function (this: TfjsNetwork, ...given: unknown[]) {
      const values = await original.apply(this, given);
      return tf.getBackend() === "wasm" ? values.fill(0) : values;
    };
    Object.assign(TfjsNetwork.prototype, { tail: wrong });
    const before = tf.memory().numTensors;
    try {
      const load = Upscaler.load(folderOf("compact-x4"), { backend: "wasm", engine: "tfjs" });
      await expect(load).rejects.toThrow(/computes a test tile wrongly/);
      expect(tf.memory().numTensors).toBe(before);
      await using upscaler = await Upscaler.load(folderOf("compact-x4"), { engine: "tfjs" });
      expect(upscaler.backend).toBe("cpu");
    } finally {
      Object.assign(TfjsNetwork.prototype, { tail: original });
    }
  });

  test("weights that give NaN are an error", async () => {
    const folder = mkdtempSync(join(scratch, "nan-"));
    cpSync(folderOf("compact-x4"), folder, { recursive: true });
    const shard = join(folder, "group1-shard1of1.bin");
    const bytes = readFileSync(shard);
    bytes.writeFloatLE(NaN, 0);
    writeFileSync(shard, bytes);
    const { createHash } = await import("node:crypto");
    const text = readFileSync(join(folder, "model.json"), "utf8");
    const hash = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(folder, "model.json"), text.replace(/("group1-shard1of1.bin":")\w{64}/, `$1${hash}`));
    const before = tf.memory().numTensors;
    const load = Upscaler.load(folder, { backend: "cpu" });
    const upscaler = await load;
    await expect(upscaler.upscale(testPicture(8, 8))).rejects.toThrow(NonFiniteError);
    await upscaler.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test("dispose frees every tensor, and ends the use", async () => {
    const before = tf.memory().numTensors;
    const upscaler = await Upscaler.load(folderOf("compact-x4"), { backend: "cpu" });
    expect(tf.memory().numTensors).toBeGreaterThan(before);
    await upscaler.dispose();
    await upscaler.dispose();
    expect(tf.memory().numTensors).toBe(before);
    await expect(upscaler.upscale(testPicture(4, 4))).rejects.toThrow(/disposed/);
  });

  describe("from the web", () => {
    let server: Server;
    let url: string;
    const asked: string[] = [];
    beforeAll(async () => {
      server = createServer((request, response) => {
        asked.push(request.url ?? "");
        try {
          response.end(readFileSync(folderOf("compact-x4") + (request.url ?? "")));
        } catch {
          response.writeHead(404).end();
        }
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterAll(() => server.close());

    test("shards are kept by their content, and a damaged copy is fetched again", async () => {
      const cache = join(scratch, "cache");
      const shares: number[] = [];
      const load = () =>
        Upscaler.load(`${url}/model.json`, {
          backend: "cpu",
          cache,
          onProgress: ({ phase, share }) => {
            if (phase === "download") shares.push(share);
          },
        });
      await (await load()).dispose();
      await (await load()).dispose();
      expect([shares[0], shares.at(-1)]).toEqual([0, 1]);
      expect(asked).toEqual(["/model.json", "/group1-shard1of1.bin", "/model.json"]);
      for (const kept of readdirSync(cache)) writeFileSync(join(cache, kept), "damaged");
      await (await load()).dispose();
      expect(asked.at(-1)).toBe("/group1-shard1of1.bin");
    });

    test("a signature goes to the data files too, and headers with every request", async () => {
      const seen: [string | undefined, string | undefined][] = [];
      const guarded = createServer((request, response) => {
        const { pathname, search } = new URL(request.url ?? "", "http://localhost");
        seen.push([search, request.headers.authorization]);
        if (search !== "?token=1" && !request.headers.authorization) response.writeHead(403).end();
        else response.end(readFileSync(folderOf("compact-x4") + pathname));
      });
      await new Promise<void>((resolve) => guarded.listen(0, "127.0.0.1", resolve));
      const place = `http://127.0.0.1:${(guarded.address() as AddressInfo).port}/model.json`;
      const options = { backend: "cpu", cache: false } as const;
      await expect(Upscaler.load(place, options)).rejects.toThrow(/answered 403; set headers in `request`/);
      await (await Upscaler.load(`${place}?token=1`, options)).dispose();
      await (
        await Upscaler.load(place, { ...options, request: { headers: { Authorization: "me" } } })
      ).dispose();
      const own = await Upscaler.load(place, {
        ...options,
        fetch: (address, given) => fetch(`${address}?token=1`, given),
      });
      await own.dispose();
      expect(seen).toEqual([
        ["", undefined],
        ...Array<unknown>(2).fill(["?token=1", undefined]),
        ...Array<unknown>(2).fill(["", "me"]),
        ...Array<unknown>(2).fill(["?token=1", undefined]),
      ]);
      guarded.closeAllConnections();
      guarded.close();
    });

    test("what was fetched once is there when nothing can be reached, and only then", async () => {
      const cache = join(scratch, "offline");
      let reachable = true;
      const load = (options = {}) =>
        Upscaler.load(`${url}/model.json`, {
          backend: "cpu",
          cache,
          fetch: async (address, given) => {
            if (!reachable) throw new TypeError("fetch failed");
            return await fetch(address, given);
          },
          ...options,
        });
      await (await load()).dispose();
      reachable = false;
      await (await load()).dispose();
      await expect(load({ cache: false })).rejects.toThrow(/cannot be fetched: fetch failed/);
      await expect(load({ fetch: () => Promise.resolve(new Response("", { status: 404 })) })).rejects.toThrow(
        /answered 404/,
      );
    });

    test("what the server refuses is said", async () => {
      await expect(Upscaler.load(`${url}/elsewhere.json`, { cache: false })).rejects.toThrow(/answered 404/);
      await expect(Upscaler.load("http://127.0.0.1:9/model.json", { cache: false })).rejects.toThrow(
        DownloadError,
      );
    });

    test("an abort ends a download", async () => {
      await expect(Upscaler.load(`${url}/model.json`, { signal: AbortSignal.abort() })).rejects.toMatchObject(
        { name: "AbortError" },
      );
    });
  });
});
