/**
 * The package's types in strict projects that check libraries too, from TypeScript 5.4 to the newest: what a page, a worker
 * and Node may write, and what the compiler must refuse. Continuous integration takes the oldest and the newest one.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Workshop } from "./running.js";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const PAGE = ["ES2022", "DOM", "DOM.Iterable"];
const DISPOSABLE = "ESNext.Disposable";

interface Kind {
  readonly file: "page" | "worker" | "node";
  readonly lib: readonly string[];
  readonly types: readonly string[];
}
const KINDS: readonly Kind[] = [
  { file: "page", lib: [...PAGE, DISPOSABLE], types: [] },
  { file: "page", lib: PAGE, types: [] },
  { file: "worker", lib: ["ES2022", "WebWorker"], types: [] },
  { file: "node", lib: ["ES2022", DISPOSABLE], types: ["node"] },
  { file: "node", lib: ["ES2022"], types: ["node"] },
];
const RESOLUTIONS = [
  ["Bundler", "ESNext"],
  ["Node16", "Node16"],
  ["NodeNext", "NodeNext"],
  ["Node10", "ESNext"],
] as const;
// each run of a compiler takes seconds: continuous integration leaves most of them to `make projects`
const all = process.env["PROJECTS"] === "all";
const VERSIONS = all ? ["5.4", "5.7", "5.9", "6", "7"] : ["5.4", "7"];
const FEW = ["Bundler page", "Bundler worker", "NodeNext node", "Node10 page"];

let workshop: Workshop;
let folder: string;
beforeAll(() => {
  workshop = new Workshop();
  folder = workshop.prepare({ name: "types", folder: "types", thread: "server", setUp: "" });
});
afterAll(() => {
  workshop?.close();
});

test.runIf(all || !process.env["PROJECTS"]).each(VERSIONS)("TypeScript %s", (version) => {
  const found: string[] = [];
  for (const [moduleResolution, module] of RESOLUTIONS) {
    if (moduleResolution === "Node10" && version === "7") continue; // which no longer has it
    for (const { file, lib, types } of KINDS) {
      if (!all && (lib.includes(DISPOSABLE) || !FEW.includes(`${moduleResolution} ${file}`))) continue;
      const name = `${file}${lib.includes(DISPOSABLE) ? "-disposable" : ""}`;
      let text = readFileSync(here(`../types/${file}.ts`), "utf8");
      // without a library that declares it, nobody can write it
      if (!lib.includes(DISPOSABLE)) text = text.replaceAll("await using", "const");
      // a program for the other side than the compiler thinks of says so
      const forNode = moduleResolution === "Node16" || moduleResolution === "NodeNext";
      if (forNode !== (file === "node"))
        text = text.replaceAll(
          'from "tfjs-esrgan"',
          `from "tfjs-esrgan/${file === "node" ? "node" : "page"}"`,
        );
      writeFileSync(join(folder, `${name}.ts`), text);
      const compilerOptions = {
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        skipLibCheck: false,
        target: "ES2022",
        lib,
        types,
        module,
        moduleResolution,
        ...(moduleResolution === "Node10" && version === "6" ? { ignoreDeprecations: "6.0" } : {}),
      };
      const configuration = join(folder, "tsconfig.json");
      writeFileSync(configuration, JSON.stringify({ compilerOptions, files: [`${name}.ts`] }));
      const compiler = join(folder, "node_modules", `typescript-${version}`, "bin", "tsc");
      const { stdout, stderr } = spawnSync(process.execPath, [compiler, "-p", configuration], {
        encoding: "utf8",
      });
      if (stdout || stderr) found.push(`${moduleResolution}, ${name}:\n${stdout}${stderr}`);
    }
  }
  expect(found.join("\n")).toBe("");
});
