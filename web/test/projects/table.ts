/** What `make projects` found, as the table in docs/web.md. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PROJECTS } from "./list.js";

const RESULTS = fileURLToPath(new URL("results.json", import.meta.url));

export interface Result {
  readonly name: string;
  version: string;
  readonly thread: string;
  readonly setUp: string;
  /** "right" by the browser's name, "not asked" where none took part; missing where it was wrong. */
  readonly browsers: Record<string, string>;
}

const [BEGIN, END] = ["<!-- projects -->", "<!-- end of projects -->"];
const THREADS: Record<string, string> = {
  worker: "a worker",
  page: "the page's thread",
  "service worker": "the service worker",
  server: "Node",
  program: "the program",
};

interface Kept {
  readonly browsers: Record<string, string>;
  readonly results: Result[];
}

function kept(): Kept {
  if (!existsSync(RESULTS)) return { browsers: {}, results: [] };
  return JSON.parse(readFileSync(RESULTS, "utf8")) as Kept;
}

/** Put results in place of those of the same projects, in the order of the list. */
export function keep(browsers: Record<string, string>, results: readonly Result[]): void {
  const all = new Map([...kept().results, ...results].map((result) => [result.name, result]));
  const sorted = PROJECTS.flatMap(({ name }) => all.get(name) ?? []);
  writeFileSync(RESULTS, `${JSON.stringify({ browsers, results: sorted }, null, 2)}\n`);
}

/** The page with the table of what was kept. */
export function withTable(text: string): string {
  const { browsers, results } = kept();
  const names = Object.keys(browsers);
  const lines = [
    `| project | version | set up | computed by | ${names.map((name) => `${name} ${browsers[name]!}`).join(" | ")} |`,
    `|${"---|".repeat(4 + names.length)}`,
    ...results.map(({ name, version, setUp, thread, browsers: found }) => {
      const cells = names.map((browser) => found[browser] ?? "fails");
      return `| ${[name, version, setUp, THREADS[thread] ?? thread, ...cells].join(" | ")} |`;
    }),
  ];
  const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (before < 0 || after < before) throw new Error(`the page has no place for the table: ${BEGIN} ${END}`);
  return `${text.slice(0, before)}${BEGIN}\n${lines.join("\n")}\n${text.slice(after)}`;
}
