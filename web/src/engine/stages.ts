/**
 * Where the trunk can be interrupted. `GraphModel.execute` takes and returns inner nodes, so a graph runs in
 * stages wherever few tensors are alive; between two stages a page can paint, and a run can be aborted.
 */
import type { GraphNode } from "../models/manifest.js";

export interface Stage {
  /** Nodes whose values go in. */
  readonly feeds: readonly string[];
  /** Nodes whose values come out. */
  readonly fetches: readonly string[];
  /** Nodes whose values no later stage needs. */
  readonly spent: readonly string[];
}

const MOST_ALIVE = 2; // the start of the network, which its end adds, and the stream

/**
 * Cut the way from `input` to `target` into stages of at least `least` convolutions.
 */
export function cutStages(
  nodes: readonly GraphNode[],
  input: string,
  target: string,
  least: number,
): Stage[] {
  const way = nodesBetween(nodes, input, target);
  const lastUse = new Map<string, number>();
  way.forEach((node, index) => node.inputs.forEach((name) => lastUse.set(name, index)));
  const stages: Stage[] = [];
  let alive = new Set([input]);
  let given = alive;
  let used = new Set<string>();
  let convolutions = 0;
  way.forEach((node, index) => {
    alive = new Set(
      [...alive, node.name].filter((name) => name === target || (lastUse.get(name) ?? -1) > index),
    );
    node.inputs.forEach((name) => used.add(name));
    if (node.op.includes("Conv")) convolutions++;
    if (node.name !== target && (alive.size > MOST_ALIVE || convolutions < least)) return;
    stages.push({
      feeds: [...given].filter((name) => used.has(name)),
      fetches: [...alive].filter((name) => !given.has(name)),
      spent: [...given].filter((name) => !alive.has(name)),
    });
    given = alive;
    used = new Set();
    convolutions = 0;
  });
  return stages;
}

interface Step {
  readonly name: string;
  readonly op: string;
  /** Computed ones only, no constants. */
  readonly inputs: readonly string[];
}

/** Nodes that `target` needs and that depend on `input`, each after its inputs; `target` is the last. */
function nodesBetween(nodes: readonly GraphNode[], input: string, target: string): Step[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const depends = new Map([[input, true]]);
  const steps: Step[] = [];
  const visit = (name: string): boolean => {
    const known = depends.get(name);
    if (known !== undefined) return known;
    depends.set(name, false);
    const node = byName.get(name);
    const sources = (node?.input ?? []).map((source) => source.replace(/^\^|:\d+$/g, ""));
    const inputs = sources.filter(visit);
    if (!node || inputs.length === 0) return false;
    depends.set(name, true);
    steps.push({ name, op: node.op, inputs });
    return true;
  };
  visit(target);
  return steps;
}
