/** `tfjs-esrgan`: upscale pictures and folders in Node. Results on stdout, progress on stderr. */
import { parseArgs } from "node:util";
import type { BackendName } from "../engine/backend.js";
import { EsrganError, messageOf, OptionError } from "../errors.js";
import type { EngineName } from "../engine/ways.js";
import type { Upscaler } from "../node.js";
import type { AlphaMode, Settings } from "../options.js";
import type { Picture } from "../images/pixels.js";
import type { Tiling } from "../tiling/plan.js";
import { targetSize } from "../images/target-size.js";
import { ProgressBar } from "./bar.js";
import { canAnimate, readPicture, writePicture } from "./images.js";
import { listJobs, type Job } from "./jobs.js";

const MOST_PIXELS = 1_000_000;

const USAGE = `Usage: tfjs-esrgan upscale INPUT OUTPUT [options]

Enlarge a picture, or all pictures of a folder, with the model that comes with this package or with one
that \`esrgan convert --to tfjs\` wrote.

  INPUT            a picture (PNG, JPEG, WebP, AVIF, TIFF, GIF), or a folder, with its subfolders
  OUTPUT           a picture or a folder; a folder if INPUT is one. The name's ending sets the format
  --model DIR      folder or address of model.json (default: esrgan-lite-x4)
  --scale N        how many times as large: above 0, at most 32 (default: the model's scale)
  --width PX, --height PX
                   size of the result instead of --scale; the proportions are kept, and with both
                   the result fits into WIDTH x HEIGHT
  --backend NAME   auto (default: the fastest), tensorflow, webgpu, wasm or cpu
  --engine NAME    auto (default: the fastest), kernels (this package's own code) or tfjs
  --tile MODE      auto (default): exact if memory allows, else overlapping tiles;
                   exact: exact, or an error; PX: overlapping tiles of PX input pixels
  --overlap PX     with --tile PX: input pixels that are read around each tile
  --alpha MODE     transparency: model (default) enlarges it with the network, resize with bicubic
                   interpolation; drop removes it
  --quality N      quality of JPEG, WebP and AVIF, 1 to 100
  --overwrite      replace results that already exist. Without it, those of a folder are kept, and
                   a single one is an error
  --quiet          show no progress
  --help, --version

Exit status: 0 done, 1 a picture failed, 2 wrong usage.
`;

const OPTIONS = {
  model: { type: "string" },
  scale: { type: "string" },
  width: { type: "string" },
  height: { type: "string" },
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
    const text = usage || error instanceof EsrganError ? error.message : `unexpected error: ${String(error)}`;
    complain(text);
    if (usage) process.stderr.write("See: tfjs-esrgan --help\n");
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
    throw new UsageError(`${verb ? `there is no command ${verb}` : "no command is given"}; use upscale`);
  if (!input || !output || more.length)
    throw new UsageError(`upscale needs one INPUT and one OUTPUT, not ${positionals.length - 1} names`);
  const tile = tiling(values.tile, values.overlap);
  const quality = values.quality === undefined ? undefined : number("quality", values.quality, 1, 100);
  const settings = {
    tile,
    alpha: values.alpha as AlphaMode,
    scale: values.scale === undefined ? undefined : Number(values.scale),
    width: values.width === undefined ? undefined : number("width", values.width, 1, MOST_PIXELS),
    height: values.height === undefined ? undefined : number("height", values.height, 1, MOST_PIXELS),
  };
  checkSettings(settings);
  const { jobs, there } = await listJobs(input, output, values.overwrite);
  if (there)
    complain(
      `${there} of ${jobs.length + there} results already exist and are kept; add --overwrite to replace them`,
    );
  if (!jobs.length) return 0;

  const { Upscaler } = await import("../node.js");
  const bar = new ProgressBar(values.quiet ? undefined : process.stderr);
  try {
    await using upscaler = await Upscaler.load(values.model, {
      backend: values.backend as BackendName | "auto",
      engine: values.engine as EngineName | "auto",
      onProgress: ({ phase, share }) =>
        bar.show(phase === "download" ? "loading the model" : "choosing a backend", share),
    });
    let failed = 0;
    for (const [index, job] of jobs.entries()) {
      const label = jobs.length > 1 ? `${index + 1}/${jobs.length} ${job.name}` : job.name;
      try {
        const line = await enlarge(job, upscaler, settings, quality, (share) => bar.show(label, share));
        bar.clear();
        process.stdout.write(`${job.output}\n`);
        if (!values.quiet) process.stderr.write(`${line}\n`);
      } catch (error) {
        if (jobs.length === 1) throw error;
        failed++;
        bar.clear();
        complain(`${job.input}: ${messageOf(error)}`);
      }
    }
    if (failed) complain(`${failed} of ${jobs.length} pictures failed`);
    return failed ? 1 : 0;
  } finally {
    bar.clear();
  }
}

/** @returns a line on how it was computed */
async function enlarge(
  job: Job,
  upscaler: Upscaler,
  settings: Settings,
  quality: number | undefined,
  progress: (share: number) => void,
): Promise<string> {
  const file = await readPicture(job.input, job.output);
  if (file.deep) complain(`${job.input} has 16 bits per channel; the result will have 8`);
  if (file.pages > 1) complain(`${job.input} has ${file.pages} pages; only the first is enlarged`);
  const count = canAnimate(job.output) ? file.frames.length : 1;
  if (count < file.frames.length)
    complain(
      `${job.input} is animated, but ${job.output} can hold only its first frame; .png, .gif and .webp can hold all`,
    );
  const frames: Picture[] = [];
  let milliseconds = 0;
  let line = "";
  for (const [index, frame] of file.frames.slice(0, count).entries()) {
    const onProgress = (share: number) => progress((index + share) / count);
    const { image, ...account } = await upscaler.upscale(frame, { ...settings, onProgress });
    frames.push(image);
    milliseconds += account.milliseconds;
    const many = count > 1 ? `${count} frames of ` : "";
    line = `${job.name}: ${many}${image.width}x${image.height} pixels in ${(milliseconds / 1000).toFixed(1)} s on ${account.backend}, ${account.plan}`;
  }
  await writePicture(job.output, { ...file, frames }, quality);
  return line;
}

/** What is wrong for every picture is said before any is read. */
function checkSettings(settings: Settings): void {
  const { alpha = "model" } = settings;
  if (!["model", "resize", "drop"].includes(alpha))
    throw new UsageError(`--alpha must be model, resize or drop, not ${alpha}`);
  if (settings.scale !== undefined || settings.width !== undefined || settings.height !== undefined)
    targetSize({ height: MOST_PIXELS, width: MOST_PIXELS }, 1, settings);
}

function complain(text: string): void {
  process.stderr.write(`tfjs-esrgan: ${text.replaceAll("\n", " ")}\n`);
}

function parse(argv: string[]) {
  try {
    return parseArgs({ args: argv, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

function tiling(tile: string, overlap: string | undefined): Tiling {
  if (tile !== "auto" && tile !== "exact") {
    const size = number("tile", tile, 16, Infinity);
    return overlap === undefined ? { size } : { size, overlap: number("overlap", overlap, 0, Infinity) };
  }
  if (overlap !== undefined) throw new UsageError(`--overlap needs --tile PX, not --tile ${tile}`);
  return tile;
}

function number(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  const range = most === Infinity ? `from ${least} up` : `from ${least} to ${most}`;
  throw new UsageError(`--${name} must be a whole number ${range}, not ${text}`);
}
