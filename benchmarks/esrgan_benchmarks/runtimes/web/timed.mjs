// Answers requests as the runners of the bridge do (see its runners/worker.py), and tells the seconds too.

import { createInterface } from "node:readline";

/** `compute` gives {shape, seconds} for a request, and has written the result's numbers. */
export async function serveTimed(compute, { say, words }) {
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      say(await compute(JSON.parse(line)));
    } catch (error) {
      say({ error: words(error) });
    }
  }
}
