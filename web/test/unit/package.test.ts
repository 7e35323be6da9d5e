/** The package as npm would publish it. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { folderOf } from "../fixtures.js";
import { PROJECTS } from "../projects/list.js";
import { withTable } from "../projects/table.js";

const web = fileURLToPath(new URL("../..", import.meta.url));
// bytes, gzipped
const LARGEST_FIRST = 14 * 1024; // of what a page loads before it asks for a model
const LARGEST_OWN = 44 * 1024; // of all that is ours, but for the kernels and the model
const LARGEST_KERNELS = 20 * 1024; // of what calls the kernels
const LARGEST_SHADERS = 25 * 1024; // of what computes on WebGPU, minified
const LARGEST_WORKER = 460 * 1024; // of the worker with all of TF.js in it
const LARGEST_MODULE = 60 * 1024; // bytes of one of WebAssembly

/** All files that one loads, at once or later. */
function reachedFrom(folder: string, entry: string, late = true): Map<string, string> {
  const seen = new Map<string, string>();
  const visit = (name: string) => {
    if (seen.has(name)) return;
    const text = readFileSync(join(web, "dist", folder, name), "utf8");
    seen.set(name, text);
    const imports = late ? /["']\.\/([\w.-]+\.js)["']/g : /(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g;
    for (const [, next] of text.matchAll(imports)) visit(next!);
  };
  visit(entry);
  return seen;
}

const packed = (texts: Iterable<string>) => [...texts].reduce((sum, text) => sum + gzipSync(text).length, 0);

test("the library is small", () => {
  expect(packed(reachedFrom("page", "index.js", false).values())).toBeLessThan(LARGEST_FIRST);
  const worker = readFileSync(join(web, "dist/page/worker.js"), "utf8");
  expect(packed([worker])).toBeLessThan(LARGEST_WORKER);
  // one file, that can be copied: it asks for nothing else
  expect(/\bimport\s*\(?\s*["']|\bfrom\s*["']/.test(worker)).toBe(false);
  const all = [...reachedFrom("", "inline.js"), ...reachedFrom("", "wasm.js")];
  const sources = (text: string) => text.match(/^\/\/ src\/.*$/gm) ?? [];
  const only = (text: string, what: RegExp) =>
    sources(text).length > 0 && sources(text).every((one) => what.test(one));
  const files = [...new Map(all)];
  const modules = files.filter(([name]) => /^(relaxed|simd)-/.test(name));
  const model = files.filter(([name]) => name.startsWith("model-"));
  const kernels = files.filter(
    (file) => only(file[1], /^\/\/ src\/engine\/kernels\//) && !modules.includes(file),
  );
  const own = files.filter((file) => ![...modules, ...model, ...kernels].includes(file));
  expect([modules.length, model.length]).toEqual([2, 1]);
  expect(packed(own.map(([, text]) => text))).toBeLessThan(LARGEST_OWN);
  expect(packed(kernels.map(([, text]) => text))).toBeLessThan(LARGEST_KERNELS);
  for (const [, text] of modules) expect((text.length * 3) / 4).toBeLessThan(LARGEST_MODULE);
});

test("the shaders' engine is small, with all that it is made of", () => {
  const text = readFileSync(join(web, "dist/kernels/shaders.js"), "utf8");
  expect(text).toContain("@workgroup_size");
  expect(packed([text])).toBeLessThan(LARGEST_SHADERS);
});

test("sub-paths load only the backends that they name", () => {
  const reached = (entry: string) => {
    const found = [...reachedFrom("", entry).values()].flatMap((text) =>
      [...text.matchAll(/["']@tensorflow\/tfjs-backend-(\w+)["']/g)].map(([, backend]) => backend!),
    );
    return [...new Set(found)].sort();
  };
  expect(reached("inline.js")).toEqual([]);
  expect(reached("serve.js")).toEqual([]);
  expect(reached("cpu.js")).toEqual(["cpu"]);
  expect(reached("wasm.js")).toEqual(["cpu", "wasm"]);
  expect(reached("webgl.js")).toEqual(["cpu", "webgl"]);
  expect(reached("webgpu.js")).toEqual(["cpu", "webgpu"]);
});

test("docs/web.md has the projects as they were found, and no cell that fails", () => {
  const page = readFileSync(join(web, "..", "docs", "web.md"), "utf8");
  expect(page).toBe(withTable(page));
  expect(page).not.toMatch(/^\|.*\| fails \|/m);
  for (const { name } of PROJECTS) expect(page).toContain(`| ${name} |`);
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
    expect(stderr).toBe("tfjs-esrgan: deep.png has 16 bits per channel; the result will have 8\n");
    expect(status).toBe(0);
    expect(await sharp(join(project, "deep4.png")).metadata()).toMatchObject({ width: 20, depth: "uchar" });
  });

  test("its command needs no model: one comes with the package", async () => {
    const { stdout, stderr, status } = command("upscale", "in.png", "own.png");
    expect(stderr).toMatch(/^in.png: 48x40 pixels in .* s on wasm, whole picture/);
    expect([stdout, status]).toEqual(["own.png\n", 0]);
    expect(command("upscale", "in.png", "narrow.png", "--width", "30", "--quiet").status).toBe(0);
    expect(await sharp(join(project, "narrow.png")).metadata()).toMatchObject({ width: 30, height: 25 });
  });

  test("its command takes a folder with its subfolders, and tells in a line each what failed", () => {
    const folder = join(project, "pictures");
    mkdirSync(join(folder, "sub"), { recursive: true });
    for (const name of ["a.png", "sub/c.png"]) copyFileSync(join(project, "in.png"), join(folder, name));
    writeFileSync(join(folder, "b.png"), "no picture");
    writeFileSync(join(folder, "._a.png"), "a system's own");
    const given = ["upscale", "pictures", "pictures/large", "--model", folderOf("compact-x4"), "--quiet"];
    const first = command(...given);
    expect(first.stdout).toBe("pictures/large/a.png\npictures/large/sub/c.png\n");
    expect(first.stderr).toMatch(
      /^tfjs-esrgan: .*b.png cannot be read as a picture.*\n.* 1 of 3 pictures failed\n$/,
    );
    expect(first.status).toBe(1);
    // what is there stays
    rmSync(join(folder, "b.png"));
    const again = command(...given);
    expect(again).toMatchObject({ stdout: "", status: 0 });
    expect(again.stderr).toMatch(
      /^tfjs-esrgan: 2 of 2 results already exist and are kept; add --overwrite to replace them\n$/,
    );
  });

  test("its command enlarges every frame, and says where only the first is kept", async () => {
    const frames = [200, 20].map((value) => Buffer.alloc(4 * 3 * 3, value));
    const raw = { width: 4, height: 6, channels: 3 as const, pageHeight: 3 };
    await sharp(Buffer.concat(frames), { raw })
      .gif({ delay: [70, 90], loop: 0 })
      .toFile(join(project, "two.gif"));
    const model = folderOf("compact-x4");
    expect(command("upscale", "two.gif", "two4.webp", "--model", model, "--quiet").stderr).toBe("");
    const about = await sharp(join(project, "two4.webp"), { animated: true }).metadata();
    expect(about).toMatchObject({ width: 16, pageHeight: 12, pages: 2, delay: [70, 90] });
    const { stderr, status } = command("upscale", "two.gif", "two4.jpg", "--model", model, "--quiet");
    expect(stderr).toBe(
      "tfjs-esrgan: two.gif is animated, but two4.jpg can hold only its first frame; .png, .gif and .webp can hold all\n",
    );
    expect(status).toBe(0);
  });

  test.each([
    [["upscale", "in.png"], 2, /needs one INPUT and one OUTPUT/],
    [["upscale", "in.png", "x.png", "--alpha", "none"], 2, /--alpha must be model, resize or drop/],
    [["upscale", "in.png", "x.png", "--scale", "99"], 2, /scale must be above 0 and at most 32/],
    [["upscale", "in.png", "x.png", "--scale", "2", "--width", "9"], 2, /give only one of them/],
    [["upscale", ".", "in.png"], 2, /OUTPUT in.png is a file; give a folder/],
    [["upscale", ".", "."], 2, /would replace the pictures of \.; give another folder/],
    [["shrink"], 2, /there is no command shrink/],
    [
      ["upscale", "in.png", "x.png", "--model", "m", "--tile", "3"],
      2,
      /--tile must be a whole number from 16 up/,
    ],
    [["upscale", "in.png", "x.bmp", "--model", "m"], 2, /must end in/],
    [["upscale", "in.png", "in.png", "--model", "m"], 2, /already exists; add --overwrite/],
    [["upscale", "none.png", "x.png", "--model", "m"], 1, /none.png does not exist/],
    [["upscale", "in.png", "x.png", "--model", "m"], 1, /the model m cannot be read/],
    [
      ["upscale", "in.png", "x.png", "--model", folderOf("compact-x4"), "--backend", "webgpu"],
      1,
      /webgpu does not start: WebGPU is not available/,
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
