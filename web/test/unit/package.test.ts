/** The package as npm would publish it. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { folderOf } from "../fixtures.js";

const web = fileURLToPath(new URL("../..", import.meta.url));
const LARGEST = 28 * 1024; // bytes, gzipped, of all that a browser may load of ours, but for the kernels
const LARGEST_KERNELS = 18 * 1024; // bytes, gzipped, of what they are called by
const LARGEST_MODULE = 60 * 1024; // bytes of one of WebAssembly

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
  const textOf = (name: string) => readFileSync(join(web, "dist", name), "utf8");
  const modules = [...seen].filter((name) => /^(relaxed|simd)-/.test(name));
  const isOfKernels = (name: string) => {
    const sources = textOf(name).match(/^\/\/ src\/.*$/gm) ?? [];
    return sources.length > 0 && sources.every((source) => source.startsWith("// src/kernels/"));
  };
  const kernels = [...seen].filter((name) => isOfKernels(name) && !modules.includes(name));
  const total = (names: string[]) => names.reduce((sum, name) => sum + gzipSync(textOf(name)).length, 0);
  expect(seen.size).toBeGreaterThan(5);
  expect(total([...seen].filter((name) => ![...modules, ...kernels].includes(name)))).toBeLessThan(LARGEST);
  expect(kernels.length).toBeGreaterThan(0);
  expect(total(kernels)).toBeLessThan(LARGEST_KERNELS);
  expect(modules).toHaveLength(2);
  for (const name of modules) expect((textOf(name).length * 3) / 4).toBeLessThan(LARGEST_MODULE);
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

  test("its command says that of 16 bits 8 are kept", async () => {
    const pixels = Uint16Array.from({ length: 4 * 5 * 3 }, (_, index) => index * 1000);
    const raw = { width: 5, height: 4, channels: 3 } as const;
    await sharp(pixels, { raw }).toColourspace("rgb16").png().toFile(join(project, "deep.png"));
    const model = folderOf("compact-x4");
    const { stderr, status } = command("upscale", "deep.png", "deep4.png", "--model", model, "--quiet");
    expect(stderr).toBe("tfjs-esrgan: deep.png has 16 bits a channel, of which 8 are kept\n");
    expect(status).toBe(0);
    expect(await sharp(join(project, "deep4.png")).metadata()).toMatchObject({ width: 20, depth: "uchar" });
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
    [
      ["upscale", "in.png", "x.png", "--model", folderOf("compact-x4"), "--backend", "tensorflow"],
      1,
      /tensorflow does not start: the package @tensorflow\/tfjs-node is not installed/,
    ],
  ] as const)("%o fails with status %d", (given, expected, message) => {
    const { stderr, status } = command(...given);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(status).toBe(expected);
  });

  test.each([
    ["page", "Bundler", "ESNext"],
    ["node", "NodeNext", "NodeNext"],
  ])("its types say what a %s may write", (name, moduleResolution, module) => {
    writeFileSync(join(project, `${name}.ts`), readFileSync(join(web, "test", "types", `${name}.ts`)));
    const options = {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: "ES2022",
      lib: ["ES2023", "ESNext.Disposable", "DOM", "DOM.Iterable"],
      types: [],
      module,
      moduleResolution,
    };
    const configuration = { compilerOptions: options, files: [`${name}.ts`] };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify(configuration));
    const compiler = join(web, "node_modules", "typescript", "bin", "tsc");
    const { stdout, status } = spawnSync(process.execPath, [compiler, "-p", project], { encoding: "utf8" });
    expect(stdout).toBe("");
    expect(status).toBe(0);
  });

  test("a package @tensorflow/tfjs-node is taken where there is one", () => {
    // a stand-in: the real one fetches its library from outside the registry when it is installed
    const folder = join(project, "node_modules", "@tensorflow", "tfjs-node");
    mkdirSync(folder);
    writeFileSync(join(folder, "package.json"), '{ "type": "module", "main": "index.js" }');
    writeFileSync(
      join(folder, "index.js"),
      `import * as tf from "@tensorflow/tfjs-core";
       import "@tensorflow/tfjs-backend-cpu";
       tf.copyRegisteredKernels("cpu", "tensorflow");
       tf.registerBackend("tensorflow", tf.findBackendFactory("cpu"));`,
    );
    const model = folderOf("compact-x4");
    const given = ["in.png", "tensorflow.png", "--model", model, "--backend", "tensorflow"];
    const { stderr, status } = command("upscale", ...given);
    rmSync(folder, { recursive: true });
    expect(stderr).toMatch(/^in.png: 48x40 pixels in .* s on tensorflow, whole picture/);
    expect(status).toBe(0);
  });

  test("help and version", () => {
    expect(command("--help").stdout).toMatch(/^Usage: tfjs-esrgan upscale/);
    const { version } = JSON.parse(readFileSync(join(web, "package.json"), "utf8")) as { version: string };
    expect(command("--version").stdout).toBe(`${version}\n`);
  });
});
