/** What the measurements share of Chromium: how it is started, and what it takes. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

export const FLAGS = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-angle=gl-egl",
  "--ignore-gpu-blocklist",
  "--disable-gpu-sandbox",
];

/** Largest resident memory so far of the browser's processes that render pages, in bytes; Linux only. */
export function peakOfRenderers(browser) {
  const text = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" });
  const parents = new Map(
    text
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/).map(Number)),
  );
  const isOurs = (id) => id === browser || (parents.has(id) && id > 1 && isOurs(parents.get(id)));
  const peaks = [...parents.keys()].filter(isOurs).map((id) => {
    try {
      if (!readFileSync(`/proc/${id}/cmdline`, "utf8").includes("--type=renderer")) return 0;
      return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1] ?? 0);
    } catch {
      return 0; // it ended meanwhile
    }
  });
  return Math.max(0, ...peaks);
}
