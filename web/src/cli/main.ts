/** `tfjs-esrgan`: upscale pictures and folders in Node. Results on stdout, progress on stderr. */
import { parseArgs } from "node:util";
import type { BackendName } from "../backend.js";
import { EsrganError, messageOf, OptionError } from "../errors.js";
import type { EngineName } from "../ways.js";
import { ProgressBar } from "./bar.js";
import { listJobs, type Job } from "./jobs.js";

const USAGE = `Usage: tfjs-esrgan upscale INPUT OUTPUT --model DIR [options]

Enlarge a picture, or every picture of a folder, by a model that \`esrgan convert --to tfjs\` wrote.

  INPUT            picture (PNG, JPEG, WebP, AVIF, TIFF) or folder
  OUTPUT           picture, or folder (required where INPUT is one); the name's end chooses the format
  --model DIR      folder or address of model.json
  --backend NAME   auto (default), tensorflow, webgpu, wasm or cpu
  --engine NAME    auto (default), kernels or tfjs
  --tile PX        overlapping tiles of PX input pixels; "auto" (default) or "exact": see the documentation
  --overlap PX     input pixels around such a tile
  --alpha MODE     model (default), resize or drop
  --quality N      1 to 100, of JPEG, WebP and AVIF
  --overwrite      replace results that exist
  --quiet          no progress
  --help, --version

Exit status: 0 done, 1 failed, 2 wrong usage.
`;

const OPTIONS = {
  model: { type: "string" },
  backend: { type: "string", default: "auto" },
  engine: { type: "string", default: "auto" },
  tile: { type: "string", default: "auto" },
  overlap: { type: "string" },
  alpha: { type: "string", default: "model" },
  quality: { type: "string" },
  overwrite: { type: "boolean", default: false },
  quiet: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
  version: { type: "boolean", default: false },
} as const;

class UsageError extends Error {}

/** @returns the exit status */
export async function main(argv: string[]): Promise<number> {
  try {
    return await run(argv);
  } catch (error) {
    const usage = error instanceof UsageError || error instanceof OptionError;
    if (!usage && !(error instanceof EsrganError)) throw error;
    process.stderr.write(`tfjs-esrgan: ${error.message}\n${usage ? "See: tfjs-esrgan --help\n" : ""}`);
    return usage ? 2 : 1;
  }
}

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv);
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (values.version) {
    const { default: about } = (await import("../../package.json", { with: { type: "json" } })) as {
      default: { version: string };
    };
    process.stdout.write(`${about.version}\n`);
    return 0;
  }
  const [verb, input, output, ...more] = positionals;
  if (verb !== "upscale")
    throw new UsageError(verb ? `there is no command ${verb}` : "a command is needed: upscale");
  if (!input || !output || more.length) throw new UsageError("upscale takes one INPUT and one OUTPUT");
  if (!values.model)
    throw new UsageError("--model is needed: the folder that `esrgan convert --to tfjs` wrote");
  const tile = tiling(values.tile, values.overlap);
  const quality = values.quality === undefined ? undefined : number("quality", values.quality, 1, 100);
  const jobs = await listJobs(input, output, values.overwrite);

  const { readPicture, writePicture } = await import("./images.js");
  const { Upscaler } = await import("../node.js");
  const bar = new ProgressBar(values.quiet ? undefined : process.stderr);
  try {
    await using upscaler = await Upscaler.load(values.model, {
      backend: values.backend as BackendName | "auto",
      engine: values.engine as EngineName | "auto",
      onProgress: ({ phase, share }) => bar.show(phase === "download" ? "model" : "warm-up", share),
    });
    let failed = 0;
    for (const [index, job] of jobs.entries()) {
      const label = jobs.length > 1 ? `${index + 1}/${jobs.length} ${job.name}` : job.name;
      try {
        const picture = await readPicture(job.input);
        if (picture.deep)
          process.stderr.write(`tfjs-esrgan: ${job.input} has 16 bits a channel, of which 8 are kept\n`);
        const result = await upscaler.upscale(picture, {
          tile,
          alpha: values.alpha as "model",
          onProgress: (share) => bar.show(label, share),
        });
        await writePicture(job.output, { ...picture, ...result.image }, quality);
        bar.clear();
        process.stdout.write(`${job.output}\n`);
        if (!values.quiet) process.stderr.write(`${describe(job, result)}\n`);
      } catch (error) {
        if (error instanceof OptionError || !(error instanceof EsrganError) || jobs.length === 1) throw error;
        failed++;
        bar.clear();
        process.stderr.write(`tfjs-esrgan: ${job.input}: ${error.message}\n`);
      }
    }
    if (failed) process.stderr.write(`tfjs-esrgan: ${failed} of ${jobs.length} pictures failed\n`);
    return failed ? 1 : 0;
  } finally {
    bar.clear();
  }
}

function parse(argv: string[]) {
  try {
    return parseArgs({ args: argv, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

function tiling(tile: string, overlap: string | undefined) {
  if (tile !== "auto" && tile !== "exact") {
    const size = number("tile", tile, 16, Infinity);
    return overlap === undefined ? { size } : { size, overlap: number("overlap", overlap, 0, Infinity) };
  }
  if (overlap !== undefined) throw new UsageError("--overlap goes with --tile PX");
  return tile;
}

function number(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  const range = most === Infinity ? `from ${least} up` : `from ${least} to ${most}`;
  throw new UsageError(`--${name} is a whole number ${range}, not ${text}`);
}

function describe(
  job: Job,
  result: { backend: string; plan: string; milliseconds: number; image: { width: number; height: number } },
): string {
  const { image, backend, plan, milliseconds } = result;
  return `${job.name}: ${image.width}x${image.height} pixels in ${(milliseconds / 1000).toFixed(1)} s on ${backend}, ${plan}`;
}
