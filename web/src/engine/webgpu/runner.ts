/** A program on a device: its pipelines and weights once, then any size of picture. */
import { messageOf } from "../../errors.js";
import type { Convolution, Load } from "../kernels/layers.js";
import type { Pause } from "../network.js";
import { COMPUTE_STAGE, USAGE, type Machine } from "./device.js";
import { LOAD_WORKGROUP, loadShader } from "./load-shader.js";
import type { Pace } from "./pace.js";
import { Parts, type Part } from "./parts.js";
import type { Pool } from "./pool.js";
import type { Program, Step, ViewPlan } from "./program.js";
import { convolutionShader } from "./shader.js";
import { blockOf, outputsOf, workOf, type Shape } from "./shapes.js";
import type { Precision } from "./spec.js";
import { fromHalf } from "../kernels/constants.js";
import { halves, layOutConstants, layOutFilter, toHalf } from "./weights.js";

/** Where a run reads its features, when it is a tail's. */
export interface Window {
  readonly top: number;
  readonly left: number;
  /** Of all features. */
  readonly rows: number;
  readonly columns: number;
}

interface Prepared {
  readonly step: Step;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly constants: GPUBuffer;
  readonly weights: GPUBuffer | undefined;
  /** Rows and columns of the grid that a workgroup computes, and workgroups beside one another in depth. */
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** Multiply-adds for each pixel of the grid. */
  readonly work: number;
}

const ALIGNMENT = 256; // of a job's place in its buffer
const MOST_JOBS = 256; // in a submission
const LOAD_WORK = 64; // multiply-adds that reading and writing a value takes as long as, at least

export class Runner {
  private readonly jobs: GPUBuffer;
  private groups: { version: number; groups: GPUBindGroup[] } = { version: -1, groups: [] };

  private constructor(
    private readonly machine: Machine,
    private readonly pool: Pool,
    private readonly steps: readonly Prepared[],
  ) {
    this.jobs = machine.device.createBuffer({
      size: MOST_JOBS * ALIGNMENT,
      usage: USAGE.uniform | USAGE.copyTarget,
    });
  }

  /** @throws Error a shader does not compile */
  static async prepare(
    machine: Machine,
    pool: Pool,
    program: Pick<Program, "steps">,
    shape: Shape,
    precision: Precision,
  ): Promise<Runner> {
    const keys = program.steps.map(({ spec }) => JSON.stringify(spec));
    const different = new Map(program.steps.map((step, index) => [keys[index]!, step]));
    const all = [...different].map(
      async ([key, step]) => [key, await compile(machine, step, shape, precision)] as const,
    );
    const pipelines = new Map(await machine.orLost(Promise.all(all)));
    const steps = program.steps.map((step, index): Prepared => {
      const compiled = pipelines.get(keys[index]!)!;
      return { step, ...compiled, ...upload(machine, step, precision), ...extent(step, shape) };
    });
    return new Runner(machine, pool, steps);
  }

  /**
   * @param height, width of the input's grid
   * @param pause is called after every submission but the last ones; what it throws ends the run
   */
  async run(height: number, width: number, window: Window, pace: Pace, pause: Pause): Promise<void> {
    const groups = this.bind();
    const total = this.steps.reduce((sum, one) => sum + one.work * one.step.grid ** 2, 0) * height * width;
    let submitted: Submitted | undefined;
    let batch: Job[] = [];
    let given = 0; // multiply-adds of the batch
    let done = 0;
    const submit = async (): Promise<void> => {
      // one is computed while the next one waits: the device never rests, and an abort waits for two
      const before = submitted;
      submitted = this.submit(batch, given, groups, [height, width, window], pace, before?.end);
      [batch, given] = [[], 0];
      if (!before) return;
      await before.end;
      done += before.work;
      await pause(done / total);
    };
    for (const [number, one] of this.steps.entries()) {
      const parts = new Parts(height * one.step.grid, width * one.step.grid, one);
      while (!parts.done) {
        const isFull = batch.length === MOST_JOBS || !parts.fits(pace.most - given);
        if (batch.length && isFull) {
          await submit();
          continue;
        }
        const part = parts.take(pace.most - given);
        batch.push({ number, ...part });
        given += one.work * part.rows * part.columns;
      }
    }
    await submit();
    await submitted?.end;
  }

  close(): void {
    this.jobs.destroy();
    free(this.steps);
  }

  private bind(): GPUBindGroup[] {
    const { device } = this.machine;
    if (this.groups.version === this.pool.version) return this.groups.groups;
    const groups = this.steps.map(({ step, layout, constants, weights }) => {
      const buffers = [
        ...(weights ? [weights] : []),
        ...step.buffers.map((reference) => this.pool.get(reference)),
      ];
      return device.createBindGroup({
        layout,
        entries: [
          { binding: 0, resource: { buffer: this.jobs, size: ALIGNMENT } },
          { binding: 1, resource: { buffer: constants } },
          ...buffers.map((buffer, index) => ({ binding: index + 2, resource: { buffer } })),
        ],
      });
    });
    this.groups = { version: this.pool.version, groups };
    return groups;
  }

  private submit(
    batch: readonly Job[],
    work: number,
    groups: readonly GPUBindGroup[],
    [height, width, window]: readonly [number, number, Window],
    pace: Pace,
    before: Promise<number> | undefined,
  ): Submitted {
    const { device } = this.machine;
    const stride = ALIGNMENT / Uint32Array.BYTES_PER_ELEMENT;
    const jobs = new Uint32Array(batch.length * stride);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const [index, { number, top, left, rows, columns }] of batch.entries()) {
      const one = this.steps[number]!;
      const [down, across] = [height * one.step.grid, width * one.step.grid];
      const views = one.step.views.flatMap((view) => viewOf(view, height, width, window));
      jobs.set([across, down, top, left, ...views], index * stride);
      pass.setPipeline(one.pipeline);
      pass.setBindGroup(0, groups[number]!, [index * ALIGNMENT]);
      pass.dispatchWorkgroups(Math.ceil(columns / one.columns), Math.ceil(rows / one.rows), one.depth);
    }
    pass.end();
    device.queue.writeBuffer(this.jobs, 0, jobs);
    const started = performance.now();
    device.queue.submit([encoder.finish()]);
    const end = this.machine.finished().then(async () => {
      const now = performance.now();
      pace.note(work, now - Math.max(started, (await before) ?? 0));
      return now;
    });
    end.catch(() => undefined); // whoever waits is told
    return { work, end };
  }
}

/** A part of a step. */
interface Job extends Part {
  readonly number: number;
}

interface Submitted {
  readonly work: number;
  /** When it ended. */
  readonly end: Promise<number>;
}

interface Compiled {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

async function compile(
  { device }: Machine,
  { spec }: Step,
  shape: Shape,
  precision: Precision,
): Promise<Compiled> {
  const code = spec.kind === "load" ? loadShader(spec, precision) : convolutionShader(spec, shape, precision);
  const storage: GPUBufferBindingType[] = [
    ...(spec.kind === "load" ? [] : ["read-only-storage" as const]),
    ...spec.buffers.map(({ written }) => (written ? ("storage" as const) : ("read-only-storage" as const))),
  ];
  const layout = device.createBindGroupLayout({
    entries: [
      { binding: 0, visibility: COMPUTE_STAGE, buffer: { type: "uniform", hasDynamicOffset: true } },
      { binding: 1, visibility: COMPUTE_STAGE, buffer: { type: "uniform" } },
      ...storage.map((type, index) => ({ binding: index + 2, visibility: COMPUTE_STAGE, buffer: { type } })),
    ],
  });
  const module = device.createShaderModule({ code });
  try {
    const pipeline = await device.createComputePipelineAsync({
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: "main" },
    });
    return { pipeline, layout };
  } catch (error) {
    const [first] = (await module.getCompilationInfo()).messages;
    throw new Error(
      first ? `${messageOf(error)} (line ${first.lineNum}: ${first.message})` : messageOf(error),
    );
  }
}

function extent({ spec }: Step, shape: Shape): Pick<Prepared, "rows" | "columns" | "depth" | "work"> {
  if (spec.kind === "load") {
    const [columns, rows] = LOAD_WORKGROUP;
    return { columns, rows, depth: 1, work: LOAD_WORK * spec.channels * spec.fold ** 2 };
  }
  const [across, down] = blockOf(shape, spec.enlarge);
  return {
    columns: shape.workgroup[0] * across,
    rows: shape.workgroup[1] * down,
    depth: spec.outputs / outputsOf(shape, spec),
    work: workOf(spec),
  };
}

function upload(
  machine: Machine,
  { layer }: Step,
  precision: Precision,
): Pick<Prepared, "constants" | "weights"> {
  const buffer = (data: BufferSource, usage: number) => {
    const made = machine.device.createBuffer({ size: data.byteLength, usage: usage | USAGE.copyTarget });
    machine.device.queue.writeBuffer(made, 0, data);
    return made;
  };
  const constants = buffer(layer.kind === "load" ? changes(layer) : layOutConstants(layer), USAGE.uniform);
  if (layer.kind === "load") return { constants, weights: undefined };
  return { constants, weights: buffer(filterOf(layer, precision), USAGE.storage) };
}

function filterOf(layer: Convolution, precision: Precision): BufferSource {
  const values = layOutFilter(layer);
  if (precision === "float32") return values;
  return precision === "float16" ? halves(values) : values.map((value) => fromHalf(toHalf(value)));
}

/** Offsets and factors by which a picture is changed as it is loaded. */
function changes({ normalised }: Load): Float32Array<ArrayBuffer> {
  const result = new Float32Array(8);
  if (normalised) {
    result.set(normalised.offset);
    result.set(normalised.factor, 4);
  }
  return result;
}

/** What the shaders call a View. */
function viewOf(view: ViewPlan, height: number, width: number, window: Window): number[] {
  const { reference, group, resolution } = view;
  if (reference === "features" && !isWhole(window, height, width)) {
    const { top, left, rows, columns } = window;
    return [top * columns + left, columns, rows * columns, 0];
  }
  const [row, plane] = [width * resolution, height * width * resolution ** 2];
  return [group * plane, row, plane, 0];
}

function isWhole({ rows, columns }: Window, height: number, width: number): boolean {
  return rows === height && columns === width;
}

function free(steps: readonly Prepared[]): void {
  for (const { constants, weights } of steps) {
    constants.destroy();
    weights?.destroy();
  }
}
