/** Short memory in Node: a small allowance, and stages that do not fit. */
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { TfjsNetwork } from "../../src/engine/tfjs.js";
import { OutOfMemoryError, Upscaler } from "../../src/node.js";
import { folderOf, testPicture, worst } from "../fixtures.js";

describe("memory", () => {
  test.each(["trunk", "tail"] as const)(
    "when it ends in the %s, tiles are divided and the work goes on",
    async (where) => {
      await using upscaler = await Upscaler.load(folderOf("rrdb-x4"), { backend: "cpu" });
      const picture = testPicture(40, 36);
      const expected = await upscaler.upscale(picture);
      const before = tf.memory().numTensors;
      const original = TfjsNetwork.prototype[where] as (...given: unknown[]) => Promise<never>;
      let failures = 0;
      const failing = function (this: TfjsNetwork, ...given: unknown[]) {
        if (failures++ === 0) return Promise.reject(new Error("out of memory"));
        return original.apply(this, given);
      };
      Object.assign(TfjsNetwork.prototype, { [where]: failing });
      try {
        const result = await upscaler.upscale(picture, { tile: { size: 64, overlap: 8 } });
        expect(result.divided).toBe(1);
        expect(result.exact).toBe(where === "tail");
        const limit = where === "tail" ? 0 : 80;
        expect(worst(result.image.data, expected.image.data)).toBeLessThanOrEqual(limit);
      } finally {
        Object.assign(TfjsNetwork.prototype, { [where]: original });
      }
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  test("where dividing is forbidden, the error says so", async () => {
    await using upscaler = await Upscaler.load(folderOf("rrdb-x4"), { backend: "cpu" });
    const original = TfjsNetwork.prototype.trunk as unknown;
    TfjsNetwork.prototype.trunk = () => Promise.reject(new Error("out of memory"));
    try {
      await expect(upscaler.upscale(testPicture(20, 20), { tile: "exact" })).rejects.toThrow(
        OutOfMemoryError,
      );
      await expect(upscaler.upscale(testPicture(20, 20))).rejects.toThrow(/even .* do not fit/);
    } finally {
      Object.assign(TfjsNetwork.prototype, { trunk: original });
    }
  });
});
