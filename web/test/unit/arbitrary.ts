/** What property tests draw from: `RUNS=5000 npm test` draws more of it, and others each time. */
import fc, { type Parameters } from "fast-check";

const LARGEST = 97;

/** Height or width of a picture. */
export const side = fc.integer({ min: 1, max: LARGEST });
export const channelCount = fc.constantFrom(1, 3);

/** @param usual how many are drawn where nothing else is asked for */
export function runs(usual = 100): Parameters<unknown> {
  const asked = Number(process.env["RUNS"]);
  return asked > 0 ? { numRuns: asked } : { numRuns: usual, seed: 97 };
}
