/** The projects of other people's tools that the package is tried in, and how each is built and served. */

export interface Project {
  /** As the table names it. */
  readonly name: string;
  /** Its folder; several may share one. */
  readonly folder: string;
  /** What is run, in its folder, before it is served. */
  readonly build?: readonly string[];
  /** Folder that is served; the project's own unless given. */
  readonly site?: string;
  /** Copied from the installed package before, to a place in the project: what the documentation says to copy. */
  readonly copies?: Readonly<Record<string, string>>;
  /** A server of the tool's own instead; `PORT` stands for the port. */
  readonly serve?: readonly string[];
  /** No page at all: a program that reads a picture as JSON, and prints the larger one. */
  readonly program?: readonly string[];
  /** What installs the package in place of npm, as npx names it. */
  readonly manager?: `${string}@${string}`;
  /** Path of the page under the server's root. */
  readonly path?: string;
  /** What computes. */
  readonly thread: "worker" | "page" | "service worker" | "server" | "program";
  /** The library lies on another origin, which this serves. */
  readonly elsewhere?: boolean;
  /** Whether continuous integration runs it; `make projects` runs all. */
  readonly always?: boolean;
  /** What the documentation says to do, for the table. */
  readonly setUp: string;
}

const PAGE = "node_modules/tfjs-esrgan/dist/page";
const WORKER = { [`${PAGE}/worker.js`]: "dist/worker.js" };
const BUILD = ["npm", "run", "--silent", "build"] as const;
const built = { build: BUILD, site: "dist" };

const vite = (version: number): Project[] => [
  {
    name: `Vite ${version}`,
    folder: `vite-${version}`,
    ...built,
    thread: "worker",
    always: version === 8,
    setUp: "nothing",
  },
  {
    name: `Vite ${version}, development server`,
    folder: `vite-${version}`,
    serve: ["npx", "vite", "--host", "127.0.0.1", "--port", "PORT", "--strictPort"],
    thread: "worker",
    setUp: '`optimizeDeps: { exclude: ["tfjs-esrgan"] }`',
  },
];

export const PROJECTS: readonly Project[] = [
  {
    name: "no tool",
    folder: "plain",
    copies: { [PAGE]: "tfjs-esrgan" },
    thread: "worker",
    always: true,
    setUp: "`dist/page` copied",
  },
  {
    name: "no tool, under a sub-path",
    folder: "plain",
    copies: { [PAGE]: "tfjs-esrgan" },
    path: "/some/where/",
    thread: "worker",
    always: true,
    setUp: "`dist/page` copied",
  },
  {
    name: "no tool, the library on another origin",
    folder: "plain",
    elsewhere: true,
    thread: "worker",
    always: true,
    setUp: "the address in the `import`",
  },
  ...vite(8),
  ...vite(7),
  ...vite(6),
  { name: "webpack 5", folder: "webpack-5", ...built, thread: "worker", always: true, setUp: "nothing" },
  {
    name: "esbuild",
    folder: "esbuild",
    ...built,
    copies: WORKER,
    thread: "worker",
    setUp: "`dist/page/worker.js` copied",
  },
  { name: "esbuild, nothing copied", folder: "esbuild", ...built, thread: "page", setUp: "nothing" },
  {
    name: "Rollup 4",
    folder: "rollup",
    ...built,
    copies: WORKER,
    thread: "worker",
    setUp: "`dist/page/worker.js` copied",
  },
  { name: "Rollup 4, nothing copied", folder: "rollup", ...built, thread: "page", setUp: "nothing" },
  {
    name: "esbuild, in a service worker",
    folder: "service-worker",
    ...built,
    thread: "service worker",
    setUp: "one file, without `--splitting`",
  },
  { name: "Parcel 2", folder: "parcel-2", ...built, thread: "worker", setUp: "nothing" },
  ...(
    [
      ["app router", "/", "worker"],
      ["pages router", "/classic", "worker"],
      ["on the server", "/api/enlarge", "server"],
    ] as const
  ).map(([router, path, thread]): Project => ({
    name: `Next.js 16, ${router}`,
    folder: "next",
    build: BUILD,
    serve: ["npx", "next", "start", "--hostname", "127.0.0.1", "--port", "PORT"],
    path,
    thread,
    setUp: '`serverExternalPackages: ["tfjs-esrgan"]`',
  })),
  ...(["Bun", "Deno"] as const).map((name): Project => ({
    name,
    folder: "programs",
    program:
      name === "Bun" ? ["npx", "bun", "run", "program.mjs"] : ["npx", "deno", "run", "-A", "program.mjs"],
    thread: "program",
    setUp: "nothing",
  })),
  ...(["yarn@1.22.22", "pnpm@10.25.0"] as const).map((manager): Project => ({
    name: `${manager.split("@")[0]!}, beside TensorFlow.js 3`,
    folder: "package-managers",
    manager,
    program: ["node", "program.mjs"],
    thread: "program",
    setUp: "nothing",
  })),
  {
    name: "npm, beside TensorFlow.js 3",
    folder: "package-managers",
    program: ["node", "program.mjs"],
    thread: "program",
    always: true,
    setUp: "nothing",
  },
];
