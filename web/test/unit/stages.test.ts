import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { cutStages } from "../../src/engine/stages.js";
import { parseManifest } from "../../src/models/manifest.js";
import { folderOf } from "../fixtures.js";

const manifest = parseManifest(readFileSync(`${folderOf("rrdb-x4")}/model.json`, "utf8"), "the fixture");

describe.each([1, 5])("stages of the trunk, of %d convolutions at least", (least) => {
  const stages = cutStages(manifest.nodes, "input", "features", least);
  test("lead from the input to the features, each from what is there", () => {
    const there = new Set(["input"]);
    for (const stage of stages) {
      for (const name of stage.feeds) expect(there).toContain(name);
      for (const name of stage.fetches) there.add(name);
      for (const name of stage.spent) expect(there.delete(name)).toBe(true);
    }
    expect([...there]).toEqual(["features"]);
  });
  test("are many, and hold few tensors", () => {
    expect(stages.length).toBeGreaterThanOrEqual(4);
    for (const stage of stages) expect(stage.feeds.length).toBeLessThanOrEqual(2);
  });
});

test("a network of plain convolutions can be interrupted after each of them", () => {
  const compact = parseManifest(readFileSync(`${folderOf("compact-x4")}/model.json`, "utf8"), "the fixture");
  const convolutions = compact.nodes.filter(({ op }) => op.includes("Conv")).length;
  expect(cutStages(compact.nodes, "input", "features", 1).length).toBeGreaterThanOrEqual(convolutions - 1);
});
