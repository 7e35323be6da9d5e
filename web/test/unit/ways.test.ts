/** The choice among engines and backends: what is right, and of that the fastest. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { startKernels } from "../../src/engine/kernels/wasm.js";
import type { Network } from "../../src/engine/network.js";
import { OptionError, Upscaler } from "../../src/node.js";
import { registerEngine, waysFor, type Computer } from "../../src/engine/ways.js";
import { folderOf, testPicture } from "../fixtures.js";

/** The kernels once more, as an engine on WebGPU, changed. */
function another(change: (network: Network) => Partial<Network>): { disposed: number; started: number } {
  const seen = { disposed: 0, started: 0 };
  registerEngine("webgpu", async (model): Promise<Computer> => {
    const computer = await startKernels(model);
    seen.started++;
    const network = computer.network;
    const changed: Partial<Network> = {
      dispose: () => {
        seen.disposed++;
        network.dispose();
      },
      ...change(network),
    };
    const get = (_: Network, name: keyof Network) => {
      const value: unknown = changed[name] ?? network[name];
      return typeof value === "function" ? (value as () => unknown).bind(network) : value;
    };
    return {
      ...computer,
      network: new Proxy(network, { get: get as ProxyHandler<Network>["get"] & object }),
    };
  });
  return seen;
}
const slower = (network: Network): Partial<Network> => ({
  async tail(...given) {
    await sleep(120);
    return await network.tail(...given);
  },
});
afterEach(() => {
  registerEngine("webgpu", () => Promise.reject(new Error("there is none")));
});

describe("auto", () => {
  test("takes the fastest, says how much slower the others are, and frees them", async () => {
    const seen = another(slower);
    await using upscaler = await Upscaler.load(folderOf("compact-x4"));
    expect([upscaler.backend, upscaler.engine]).toEqual(["wasm", "kernels"]);
    expect(upscaler.reason).toMatch(/; engine kernels on webgpu takes [\d.e+]+ times as long; /);
    expect(seen).toEqual({ started: 1, disposed: 1 });
  });

  test("takes the one that is right, however fast another is", async () => {
    const seen = another((network) => ({
      tail: async (...given) => (await network.tail(...given)).map((value) => 1 - value),
    }));
    await using upscaler = await Upscaler.load(folderOf("compact-x4"));
    expect(upscaler.backend).toBe("wasm");
    expect(upscaler.reason).toMatch(/engine kernels on webgpu fails: it computes a test tile wrongly/);
    expect(seen).toEqual({ started: 1, disposed: 1 });
  });

  test("an engine that is asked for is not compared with others", async () => {
    const seen = another(slower);
    await using upscaler = await Upscaler.load(folderOf("compact-x4"), {
      backend: "webgpu",
      engine: "kernels",
    });
    expect((await upscaler.upscale(testPicture(5, 4))).backend).toBe("webgpu");
    expect(upscaler.reason).not.toMatch(/times as long/);
    expect(seen).toEqual({ started: 1, disposed: 0 });
  });
});

test("TF.js on wasm and on plain JavaScript are tried where nothing better is right", () => {
  const ways = waysFor("auto", "auto");
  const names = ways.map(({ backend, engine }) => `${backend} ${engine}`);
  expect(names.slice(-3)).toEqual(["wasm kernels", "wasm tfjs", "cpu tfjs"]);
  const [kernels, wasm, cpu] = ways.slice(-3);
  expect([wasm!.isSpare?.([]), cpu!.isSpare?.([])]).toEqual([false, false]);
  expect([wasm!.isSpare?.([kernels!]), cpu!.isSpare?.([kernels!])]).toEqual([true, true]);
  expect(kernels!.isSpare).toBeUndefined();
});

test.each([
  [{ engine: "onnx" as "tfjs" }, /engine must be auto or one of kernels, tfjs/],
  [{ backend: "cpu", engine: "kernels" }, /the backend cpu has no engine kernels/],
] as const)("refuses %o", async (options, message) => {
  const load = Upscaler.load(folderOf("compact-x4"), options);
  await expect(load).rejects.toThrow(OptionError);
  await expect(load).rejects.toThrow(message);
});
