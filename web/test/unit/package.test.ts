/** The package as npm would publish it. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { folderOf } from "../fixtures.js";

const web = fileURLToPath(new URL("../..", import.meta.url));
const LARGEST = 25 * 1024; // bytes, gzipped, of all that a browser may load of ours

test("the library without TF.js is small", () => {
  const seen = new Set<string>();
  const visit = (name: string) => {
    if (seen.has(name)) return;
    seen.add(name);
    const text = readFileSync(join(web, "dist", name), "utf8");
    for (const [, next] of text.matchAll(/["']\.\/([\w.-]+\.js)["']/g)) visit(next!);
  };
  visit("index.js");
  visit("worker.js");
  const total = [...seen].reduce(
    (sum, name) => sum + gzipSync(readFileSync(join(web, "dist", name))).length,
    0,
  );
  expect(seen.size).toBeGreaterThan(5);
  expect(total).toBeLessThan(LARGEST);
});

test("sub-paths load only the backends that they name", () => {
  const reached = (entry: string) => {
    const seen = new Set<string>();
    const found = new Set<string>();
    const visit = (name: string) => {
      if (seen.has(name)) return;
      seen.add(name);
      const text = readFileSync(join(web, "dist", name), "utf8");
      for (const [, backend] of text.matchAll(/["']@tensorflow\/tfjs-backend-(\w+)["']/g))
        found.add(backend!);
      for (const [, next] of text.matchAll(/["']\.\/([\w.-]+\.js)["']/g)) visit(next!);
    };
    visit(entry);
    return [...found].sort();
  };
  expect(reached("inline.js")).toEqual([]);
  expect(reached("serve.js")).toEqual([]);
  expect(reached("cpu.js")).toEqual(["cpu"]);
  expect(reached("wasm.js")).toEqual(["cpu", "wasm"]);
  expect(reached("webgl.js")).toEqual(["cpu", "webgl"]);
  expect(reached("webgpu.js")).toEqual(["cpu", "webgpu"]);
});

test("no file names a machine or a mirror", () => {
  const lock = readFileSync(join(web, "package-lock.json"), "utf8");
  expect(lock).not.toMatch(/"resolved"/);
});

describe("installed into an empty project", () => {
  const project = mkdtempSync(join(tmpdir(), "tfjs-esrgan-project-"));
  const npm = (...given: string[]) =>
    execFileSync("npm", given, { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const command = (...given: string[]) =>
    spawnSync(join(project, "node_modules/.bin/tfjs-esrgan"), given, { cwd: project, encoding: "utf8" });

  beforeAll(async () => {
    npm("pack", web, "--pack-destination", project);
    const archive = readdirSync(project).find((name) => name.endsWith(".tgz"))!;
    writeFileSync(
      join(project, "package.json"),
      JSON.stringify({ name: "empty", type: "module", private: true }),
    );
    npm("install", "--prefer-offline", "--no-audit", "--no-fund", `./${archive}`);
    const picture = sharp({
      create: {
        width: 12,
        height: 10,
        channels: 3,
        noise: { type: "gaussian", mean: 120, sigma: 30 },
        background: "black",
      },
    });
    await picture.png().toFile(join(project, "in.png"));
    await sharp(join(project, "in.png")).toColourspace("b-w").png().toFile(join(project, "gray.png"));
  }, 120_000);
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  test("the library runs, and says nothing on stderr", () => {
    const program = `
      import { Upscaler } from "tfjs-esrgan";
      await using upscaler = await Upscaler.load(process.argv[2]);
      const data = new Uint8ClampedArray(4 * 30).map((_, i) => i * 7);
      const { image, backend } = await upscaler.upscale({ width: 6, height: 5, data });
      console.log(backend, image.width, image.height);
    `.replace("await using upscaler =", "const upscaler =");
    writeFileSync(join(project, "main.js"), program);
    const { stdout, stderr, status } = spawnSync(process.execPath, ["main.js", folderOf("compact-x4")], {
      cwd: project,
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(stdout).toBe("wasm 24 20\n");
    expect(status).toBe(0);
  });

  test("its command enlarges a picture", async () => {
    const { stdout, stderr, status } = command(
      "upscale",
      "in.png",
      "out.png",
      "--model",
      folderOf("rrdb-x4"),
      "--quiet",
    );
    expect(stderr).toBe("");
    expect(stdout).toBe("out.png\n");
    expect(status).toBe(0);
    expect(await sharp(join(project, "out.png")).metadata()).toMatchObject({
      width: 48,
      height: 40,
      channels: 3,
    });
  });

  test("its command keeps gray pictures gray, and writes other formats", async () => {
    const model = folderOf("compact-x4");
    expect(command("upscale", "gray.png", "gray4.png", "--model", model, "--quiet").stderr).toBe("");
    expect((await sharp(join(project, "gray4.png")).metadata()).channels).toBe(1);
    for (const end of ["jpg", "webp", "tiff"]) {
      expect(
        command("upscale", "in.png", `out.${end}`, "--model", model, "--quiet", "--backend", "cpu").stderr,
      ).toBe("");
      expect((await sharp(join(project, `out.${end}`)).metadata()).width).toBe(48);
    }
  });

  test("its command takes a folder, and reports what failed", () => {
    const folder = join(project, "pictures");
    execFileSync("mkdir", [folder]);
    execFileSync("cp", [join(project, "in.png"), join(folder, "a.png")]);
    writeFileSync(join(folder, "b.png"), "no picture");
    const { stdout, stderr, status } = command(
      "upscale",
      "pictures",
      "large",
      "--model",
      folderOf("compact-x4"),
      "--quiet",
    );
    expect(stdout).toBe("large/a.png\n");
    expect(stderr).toMatch(/b.png cannot be read as a picture[^]*1 of 2 pictures failed/);
    expect(status).toBe(1);
  });

  test.each([
    [["upscale", "in.png"], 2, /takes one INPUT and one OUTPUT/],
    [["upscale", "in.png", "x.png"], 2, /--model is needed/],
    [["shrink"], 2, /there is no command shrink/],
    [["upscale", "in.png", "x.png", "--model", "m", "--tile", "3"], 2, /--tile is a whole number from 16 up/],
    [["upscale", "in.png", "x.gif", "--model", "m"], 2, /must end in/],
    [["upscale", "in.png", "in.png", "--model", "m"], 2, /exists; --overwrite/],
    [["upscale", "none.png", "x.png", "--model", "m"], 1, /none.png does not exist/],
    [["upscale", "in.png", "x.png", "--model", "m"], 1, /m is no model/],
    [
      ["upscale", "in.png", "x.png", "--model", folderOf("compact-x4"), "--backend", "webgpu"],
      1,
      /webgpu does not start: there is no WebGPU/,
    ],
  ] as const)("%o fails with status %d", (given, expected, message) => {
    const { stderr, status } = command(...given);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(status).toBe(expected);
  });

  test("help and version", () => {
    expect(command("--help").stdout).toMatch(/^Usage: tfjs-esrgan upscale/);
    const { version } = JSON.parse(readFileSync(join(web, "package.json"), "utf8")) as { version: string };
    expect(command("--version").stdout).toBe(`${version}\n`);
  });
});
