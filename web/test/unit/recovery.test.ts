/** A device that is lost: the work is done again, where need be by another engine, or an error says what happened. */
import { afterEach, describe, expect, test } from "vitest";
import { startKernels } from "../../src/engine/kernels/wasm.js";
import type { Network } from "../../src/engine/network.js";
import { registerEngine, type Computer } from "../../src/engine/ways.js";
import { BackendError, Upscaler } from "../../src/node.js";
import { folderOf, testPicture, worst } from "../fixtures.js";

const picture = testPicture(24, 20);

/** The kernels as an engine for "cpu", beside TF.js's, whose device is lost in every one of these trunks and tails. */
function losing(where: "trunk" | "tail", lost: (call: number) => boolean, restarts: () => boolean) {
  const seen = { calls: 0, restarts: 0 };
  const start = async (model: Parameters<typeof startKernels>[0]): Promise<Computer> => {
    const computer = await startKernels(model);
    let isLost = false;
    const original = computer.network[where] as (...given: unknown[]) => Promise<unknown>;
    const failing = async (...given: unknown[]) => {
      isLost ||= lost(seen.calls++);
      if (isLost) throw new Error("the device was lost");
      return await original.apply(computer.network, given);
    };
    return {
      ...computer,
      network: Object.assign(computer.network, { [where]: failing } as Partial<Network>),
      isLost: () => isLost,
      restart: async (again) => {
        seen.restarts++;
        computer.network.dispose();
        if (!restarts()) throw new Error("WebGPU finds no graphics adapter");
        return await start(again);
      },
    };
  };
  registerEngine("cpu", start);
  return seen;
}
afterEach(() => registerEngine("cpu", () => Promise.reject(new Error("there is none"))));

async function expected() {
  await using upscaler = await Upscaler.load(folderOf("rrdb-x4"), { backend: "wasm", engine: "kernels" });
  return (await upscaler.upscale(picture)).image.data;
}

describe.each(["trunk", "tail"] as const)("lost in the %s", (where) => {
  const TESTS = 0; // of the engine, when it starts: none, since plain JavaScript is what others are compared with

  test("once, nothing is divided, and the result stays exact", async () => {
    const seen = losing(
      where,
      (call) => call === TESTS,
      () => true,
    );
    await using upscaler = await Upscaler.load(folderOf("rrdb-x4"), { backend: "cpu", engine: "kernels" });
    const result = await upscaler.upscale(picture, { tile: "exact" });
    expect(result).toMatchObject({ exact: true, divided: 0, engine: "kernels" });
    expect(worst(result.image.data, await expected())).toBe(0);
    expect(seen.restarts).toBe(1);
  });

  test("and not to be had again, another engine goes on", async () => {
    losing(
      where,
      (call) => call >= TESTS,
      () => false,
    );
    await using upscaler = await Upscaler.load(folderOf("rrdb-x4"), { backend: "cpu" });
    expect(upscaler.engine).toBe("kernels");
    const result = await upscaler.upscale(picture);
    expect(result).toMatchObject({ exact: true, divided: 0, engine: "tfjs" });
    expect(result.reason).toMatch(
      /engine kernels on cpu was given up, because it does not start again: .*no graphics adapter/,
    );
    expect(worst(result.image.data, await expected())).toBeLessThanOrEqual(1);
  });

  test("time and again, another engine goes on", async () => {
    const seen = losing(
      where,
      (call) => call >= TESTS,
      () => true,
    );
    await using upscaler = await Upscaler.load(folderOf("rrdb-x4"), { backend: "cpu" });
    const result = await upscaler.upscale(testPicture(40, 36));
    expect(result.engine).toBe("tfjs");
    expect(result.reason).toMatch(
      /engine kernels on cpu was given up, because its device was lost several times/,
    );
    expect(seen.restarts).toBe(4);
  });
});

test("where no other is allowed, the error says so, and the next picture finds the device again", async () => {
  let isThere = true;
  losing(
    "trunk",
    () => !isThere,
    () => isThere,
  );
  await using upscaler = await Upscaler.load(folderOf("rrdb-x4"), { backend: "cpu", engine: "kernels" });
  isThere = false;
  const stopped = upscaler.upscale(picture);
  await expect(stopped).rejects.toThrow(BackendError);
  await expect(stopped).rejects.toThrow(
    /engine kernels on cpu was given up, because it does not start again: .*; no other backend or engine is allowed/,
  );
  isThere = true;
  const { image } = await upscaler.upscale(picture);
  expect(worst(image.data, await expected())).toBe(0);
});
