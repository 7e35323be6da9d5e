/** What `make projects` found, as the table in docs/web.md. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const RESULTS = fileURLToPath(new URL("results.json", import.meta.url));

export interface Result {
  readonly name: string;
  version: string;
  readonly thread: string;
  readonly setUp: string;
  /** "right" by the browser's name; missing where it was not. */
  readonly browsers: Record<string, string>;
}

const [BEGIN, END] = ["<!-- projects -->", "<!-- end of projects -->"];
const THREADS: Record<string, string> = { worker: "a worker", page: "the page's thread", server: "Node" };

export function withTable(text: string): string {
  const { browsers, results } = JSON.parse(readFileSync(RESULTS, "utf8")) as {
    browsers: Record<string, string>;
    results: Result[];
  };
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
