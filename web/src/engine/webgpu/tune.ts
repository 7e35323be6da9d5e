/** Which shape is fastest on this device: measured on a tile by the network's heaviest convolution, and remembered. */
import type { ShardCache } from "../../models/cache.js";
import { sha256 } from "../../models/sha256.js";
import type { Machine } from "./device.js";
import { Pace } from "./pace.js";
import { Pool, type BufferName } from "./pool.js";
import type { Program, Step } from "./program.js";
import { Runner } from "./runner.js";
import { fits, shapesFor, workOf, type Shape } from "./shapes.js";
import { inputsOf, type ConvolutionSpec, type Precision } from "./spec.js";

const SECOND = 1000; // ms for all shapes together
const TILE = 32; // pixels a side
const LARGER = 256; // where a tile takes no time
const LONG_ENOUGH = 4; // ms that can be compared
const BYTES = 16; // of four channels, at most

export interface Choice {
  readonly shape: Shape;
  /** How it was found, for people. */
  readonly reason: string;
}

/**
 * @param memory where a choice is kept; undefined: nowhere
 * @throws Error no shape runs
 */
export async function chooseShape(
  machine: Machine,
  programs: readonly Program[],
  precision: Precision,
  memory: ShardCache | undefined,
): Promise<Choice> {
  const specs = programs.flatMap(({ steps }) => steps.map(({ spec }) => spec));
  const convolutions = specs.filter((spec): spec is ConvolutionSpec => spec.kind === "convolution");
  const shapes = shapesFor(machine.vendor, machine.software).filter((shape) =>
    fits(shape, convolutions, precision, machine.device.limits),
  );
  if (!shapes.length) throw new Error("this GPU's limits are too small for this library's code");
  const step = heaviest(programs[0]!);
  const key = await keyOf([machine.name, precision, step.spec, shapes]);
  const kept = await memory?.get(key);
  const known = kept && shapes[Number(new TextDecoder().decode(kept))];
  if (known) return { shape: known, reason: "kernel shape as measured before" };
  const { best, tried } = await fastest(machine, step, programs[0]!.slots, shapes, precision);
  await memory?.put(key, new TextEncoder().encode(String(shapes.indexOf(best))));
  return { shape: best, reason: `kernel shape measured, of ${tried}` };
}

/** The convolution that takes most of a program's time, of all that are alike. */
export function heaviest({ steps }: Pick<Program, "steps">): Step {
  const totals = new Map<string, number>();
  const keyOfStep = ({ spec }: Step) => JSON.stringify(spec);
  for (const step of steps) {
    const work = step.spec.kind === "load" ? 0 : workOf(step.spec) * step.grid ** 2;
    totals.set(keyOfStep(step), (totals.get(keyOfStep(step)) ?? 0) + work);
  }
  const total = (step: Step) => totals.get(keyOfStep(step))!;
  return steps.reduce((best, step) => (total(step) > total(best) ? step : best));
}

async function fastest(
  machine: Machine,
  step: Step,
  slots: readonly number[],
  shapes: readonly Shape[],
  precision: Precision,
): Promise<{ best: Shape; tried: number }> {
  const started = performance.now();
  const pool = new Pool(machine);
  const times: number[] = [];
  let longest = 0;
  let side = TILE;
  try {
    for (const shape of shapes) {
      const begun = performance.now();
      // as long as the longest so far it may take once more
      if (times.length && begun - started + longest > SECOND) break;
      const runner = await Runner.prepare(machine, pool, { steps: [step] }, shape, precision);
      try {
        let time = await timed(pool, runner, step, slots, side);
        if (!times.length && time < LONG_ENOUGH) {
          side = LARGER;
          time = await timed(pool, runner, step, slots, side);
        }
        times.push(time);
      } finally {
        runner.close();
      }
      longest = Math.max(longest, performance.now() - begun);
    }
  } finally {
    pool.close();
  }
  return { best: shapes[times.indexOf(Math.min(...times))]!, tried: times.length };
}

/** Milliseconds, after a first run. */
async function timed(
  pool: Pool,
  runner: Runner,
  { views, spec }: Step,
  slots: readonly number[],
  side: number,
): Promise<number> {
  const groups = spec.kind === "load" ? 0 : Math.max(spec.outputs, inputsOf(spec));
  const wanted = views.map(({ reference, resolution }): [BufferName, number] => {
    const bytes = typeof reference === "number" ? slots[reference]! : BYTES * groups * resolution ** 2;
    return [reference, bytes * side ** 2];
  });
  await pool.ensure(new Map(wanted));
  const whole = { top: 0, left: 0, rows: side, columns: side };
  const run = async () => {
    const begun = performance.now();
    await runner.run(side, side, whole, new Pace(Infinity), () => Promise.resolve());
    return performance.now() - begun;
  };
  await run();
  return Math.min(await run(), await run());
}

async function keyOf(facts: unknown): Promise<string> {
  return await sha256(new TextEncoder().encode(`kernel shape ${JSON.stringify(facts)}`));
}
