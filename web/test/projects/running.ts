/** A project: installed from the package's tarball, built by its own tool, served. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { serveSite } from "../browser/chromium.js";
import type { Project } from "./list.js";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const web = here("../..");
// an empty environment of npm: this runs inside of npm's own scripts
const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(npm_|NODE_ENV$|VITEST|TEST$|PROD$|DEV$|MODE$|SSR$)/i.test(name),
  ),
);
const STARTED = 60_000; // ms for a tool's server

export interface Running {
  readonly url: string;
  close(): Promise<void>;
}

/** All projects in one folder, which goes at the end; the archive is packed once. */
export class Workshop {
  private readonly root = mkdtempSync(join(tmpdir(), "tfjs-esrgan-projects-"));
  private readonly archive: string;
  private readonly done = new Set<string>();

  constructor() {
    run("npm", ["pack", web, "--silent", "--pack-destination", this.root], this.root);
    this.archive = join(
      this.root,
      readdirSync(this.root).find((name) => name.endsWith(".tgz"))!,
    );
  }

  /** @returns the project's folder, ready to be served */
  prepare(project: Project): string {
    const place = placeOf(project);
    const folder = join(this.root, place);
    this.once(`install ${place}`, () => {
      cpSync(here(project.folder), folder, { recursive: true });
      for (const file of readdirSync(here("common")))
        if (!existsSync(join(folder, file))) cpSync(here(`common/${file}`), join(folder, file));
      const { manager } = project;
      if (manager) run("npx", ["--yes", manager, "add", `file:${this.archive}`], folder);
      else run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", this.archive], folder);
    });
    const { build } = project;
    if (build) this.once(`build ${place}`, () => run(build[0]!, build.slice(1), folder));
    return folder;
  }

  async open(project: Project, folder: string): Promise<Running> {
    const path = project.path ?? "/";
    if (project.serve) return await own(project.serve, folder, path);
    const site = join(folder, project.site ?? ".");
    const copies = Object.entries(project.copies ?? {});
    for (const [from, to] of copies) {
      mkdirSync(dirname(join(folder, to)), { recursive: true });
      cpSync(join(folder, from), join(folder, to), { recursive: true });
    }
    const far = project.elsewhere
      ? await serveSite(
          { "/": join(folder, "node_modules/tfjs-esrgan/dist/page") },
          { isolated: false, headers: { "Access-Control-Allow-Origin": "*" } },
        )
      : undefined;
    const place = await serveSite(
      { [path]: site },
      {
        isolated: false,
        change: (file, bytes) =>
          far && (file.endsWith("/") || file.endsWith(".html"))
            ? Buffer.from(bytes.toString().replace("./tfjs-esrgan/", `${far.url}/`))
            : bytes,
      },
    );
    return {
      url: place.url + path,
      async close() {
        await place.close();
        await far?.close();
        for (const [, to] of copies) rmSync(join(folder, to), { recursive: true });
      },
    };
  }

  /** How large a project's tools are does not matter once they were tried. */
  remove(project: Project): void {
    rmSync(join(this.root, placeOf(project)), { recursive: true, force: true });
  }

  close(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /** The version of a tool that was installed. */
  version(project: Project): string {
    if (project.manager) return project.manager.split("@")[1]!;
    if (project.folder === "package-managers") return run("npm", ["--version"], this.root).trim();
    const folder = join(this.root, placeOf(project));
    const text = readFileSync(join(folder, "package.json"), "utf8");
    const { devDependencies = {}, dependencies = {} } = JSON.parse(text) as Record<
      string,
      Record<string, string>
    >;
    const tools = project.program
      ? [project.name.toLowerCase()]
      : ["vite", "webpack", "esbuild", "rollup", "parcel", "next"];
    const name = Object.keys(devDependencies)
      .concat(Object.keys(dependencies))
      .find((tool) => tools.includes(tool));
    if (!name) return "";
    const file = join(folder, "node_modules", name, "package.json");
    return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
  }

  private once(what: string, work: () => void): void {
    if (this.done.has(what)) return;
    work();
    this.done.add(what);
  }
}

/** Where a project lies in the workshop: one folder may be installed in several ways. */
const placeOf = ({ folder, manager }: Project) => (manager ? `${folder}-${manager}` : folder);

/** Run a program of a project; `input` is what it reads. */
export function run(command: string, given: readonly string[], cwd: string, input?: string): string {
  try {
    return execFileSync(command, given, {
      cwd,
      env: environment,
      encoding: "utf8",
      maxBuffer: 2 ** 26,
      ...(input === undefined ? {} : { input }),
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${given.join(" ")} fails:\n${stdout}\n${stderr}`);
  }
}

/** The tool's own server, on a port that is free. */
async function own(command: readonly string[], cwd: string, path: string): Promise<Running> {
  const port = await freePort();
  const given = command.map((word) => (word === "PORT" ? String(port) : word));
  const server: ChildProcess = spawn(given[0]!, given.slice(1), {
    cwd,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // a group of its own: npx starts another process
  });
  let said = "";
  for (const stream of [server.stdout!, server.stderr!])
    stream.on("data", (text: Buffer) => (said += text.toString()));
  const root = `http://127.0.0.1:${port}`;
  const stop = async () => {
    if (server.exitCode !== null) return;
    const ended = new Promise((resolve) => server.once("exit", resolve));
    process.kill(-server.pid!, "SIGKILL");
    await ended;
  };
  const began = Date.now();
  for (;;) {
    const answers = await fetch(`${root}/`).then(
      () => true,
      () => false,
    );
    if (answers) break;
    if (server.exitCode !== null || Date.now() - began > STARTED) {
      await stop();
      throw new Error(`${given.join(" ")} does not start:\n${said}`);
    }
    await sleep(200);
  }
  return { url: root + path, close: stop };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
