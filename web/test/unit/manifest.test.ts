import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ModelError } from "../../src/errors.js";
import { parseManifest } from "../../src/models/manifest.js";
import { folderOf } from "../fixtures.js";

const manifestText = readFileSync(`${folderOf("rrdb-x4")}/model.json`, "utf8");
const manifest = parseManifest(manifestText, "the fixture");

describe("manifest", () => {
  test("is read", () => {
    expect(manifest.info).toMatchObject({
      name: "test-rrdb-x4",
      scale: 4,
      unshuffle: 1,
      tailHalo: 2,
      receptiveField: 34,
    });
    expect(manifest.shards).toHaveLength(1);
    expect(manifest.input).toBe("input");
  });

  const changed = (change: (document: Record<string, never>) => void) => {
    const document = JSON.parse(manifestText) as Record<string, never>;
    change(document);
    return JSON.stringify(document);
  };
  type Loose = Record<string, Record<string, Record<string, unknown>>>;
  test.each([
    ["no JSON", "{"],
    ["another format", changed((d) => ((d as Record<string, unknown>)["format"] = "layers-model"))],
    ["no record", changed((d) => ((d as Record<string, unknown>)["userDefinedMetadata"] = {}))],
    [
      "another version",
      changed((d) => ((d as Loose)["userDefinedMetadata"]!["esrgan"]!["format_version"] = 9)),
    ],
    ["no hash", changed((d) => ((d as Loose)["userDefinedMetadata"]!["esrgan"]!["shards"] = {}))],
    [
      "one size of picture",
      changed((d) => ((d as Loose)["userDefinedMetadata"]!["esrgan"]!["fixed_size"] = [64, 64])),
    ],
    [
      "no such node",
      changed((d) => ((d as Loose)["userDefinedMetadata"]!["esrgan"]!["features_node"] = "nowhere")),
    ],
    ["scale 0", changed((d) => ((d as Loose)["userDefinedMetadata"]!["esrgan"]!["scale"] = 0))],
  ])("with %s is refused", (_, text) => {
    expect(() => parseManifest(text, "it")).toThrow(ModelError);
  });

  test("that is a web page is called one", () => {
    expect(() => parseManifest("\n<!doctype html>", "https://a/model.json")).toThrow(
      /a\/model\.json is a web page, not a model/,
    );
  });
});
