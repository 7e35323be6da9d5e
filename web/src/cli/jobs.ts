/** Which pictures a command line means, and where their results go. */
import { access, mkdir, readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { DownloadError, OptionError } from "../errors.js";

export interface Job {
  readonly name: string;
  readonly input: string;
  readonly output: string;
}

const KNOWN = [".png", ".jpg", ".jpeg", ".webp", ".avif", ".tif", ".tiff"];

/**
 * @throws DownloadError the input does not exist
 * @throws OptionError a format that cannot be written, results that exist, a folder without pictures
 */
export async function listJobs(input: string, output: string, overwrite: boolean): Promise<Job[]> {
  const found = await stat(input).catch(() => undefined);
  if (!found) throw new DownloadError(`${input} does not exist`);
  const jobs = found.isDirectory() ? await inFolder(input, output) : [await single(input, output)];
  if (overwrite) return jobs;
  for (const job of jobs) {
    const exists = await access(job.output).then(
      () => true,
      () => false,
    );
    if (exists) throw new OptionError(`${job.output} exists; --overwrite replaces it`);
  }
  return jobs;
}

async function single(input: string, output: string): Promise<Job> {
  const isFolder = (await stat(output).catch(() => undefined))?.isDirectory() ?? false;
  const target = isFolder ? join(output, basename(input)) : output;
  if (!KNOWN.includes(extname(target).toLowerCase())) {
    throw new OptionError(`${target} must end in ${KNOWN.join(", ")}`);
  }
  return { name: basename(input), input, output: target };
}

async function inFolder(input: string, output: string): Promise<Job[]> {
  const names = (await readdir(input)).filter((name) => KNOWN.includes(extname(name).toLowerCase())).sort();
  if (!names.length) throw new OptionError(`${input} holds no picture (${KNOWN.join(", ")})`);
  await mkdir(output, { recursive: true });
  return names.map((name) => ({ name, input: join(input, name), output: join(output, name) }));
}
