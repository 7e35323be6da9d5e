/** Which pictures a command line means, and where their results go. */
import { access, readdir, stat } from "node:fs/promises";
import { basename, extname, join, relative, resolve, sep } from "node:path";
import { DownloadError, OptionError } from "../errors.js";
import { READ, WRITTEN } from "./images.js";

export interface Job {
  readonly name: string;
  readonly input: string;
  readonly output: string;
}

export interface Jobs {
  readonly jobs: readonly Job[];
  /** How many results of a folder were there already. */
  readonly there: number;
}

/**
 * @throws DownloadError the input does not exist
 * @throws OptionError a format that cannot be written, a result that exists, a folder without pictures
 */
export async function listJobs(input: string, output: string, overwrite: boolean): Promise<Jobs> {
  const found = await stat(input).catch(() => undefined);
  if (!found) throw new DownloadError(`${input} does not exist`);
  if (found.isDirectory()) return await inFolder(input, output, overwrite);
  const job = await single(input, output);
  if (!overwrite && (await exists(job.output)))
    throw new OptionError(`${job.output} already exists; add --overwrite to replace it`);
  return { jobs: [job], there: 0 };
}

async function single(input: string, output: string): Promise<Job> {
  const isFolder = output.endsWith("/") || output.endsWith(sep) || (await isDirectory(output));
  const target = isFolder ? join(output, basename(input)) : output;
  if (!WRITTEN.includes(extname(target).toLowerCase())) {
    throw new OptionError(`${target} does not name a picture format; it must end in ${WRITTEN.join(", ")}`);
  }
  return { name: basename(input), input, output: target };
}

/** Of subfolders too; results keep their names, and those that are there stay. */
async function inFolder(input: string, output: string, overwrite: boolean): Promise<Jobs> {
  if (await isFile(output))
    throw new OptionError(`${input} is a folder, but OUTPUT ${output} is a file; give a folder`);
  const own = resolve(output);
  const jobs: Job[] = [];
  let there = 0;
  const look = async (folder: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      // hidden files are systems' own, and results in a subfolder are no pictures to enlarge
      if (entry.name.startsWith(".") || resolve(path) === own) continue;
      if (entry.isDirectory()) await look(path);
      else if (READ.includes(extname(path).toLowerCase())) {
        const name = relative(input, path);
        const target = join(output, name.replace(/\.jfif$/i, ".jpg"));
        if (resolve(target) === resolve(path))
          throw new OptionError(`the results would replace the pictures of ${input}; give another folder`);
        if (!overwrite && (await exists(target))) there++;
        else jobs.push({ name, input: path, output: target });
      }
    }
  };
  await look(input);
  if (!jobs.length && !there)
    throw new OptionError(`${input} contains no pictures; their names must end in ${READ.join(", ")}`);
  return { jobs, there };
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}
