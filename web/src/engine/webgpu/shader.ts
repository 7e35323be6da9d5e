/**
 * WGSL of a convolution with what follows it. Maps are planes of pixels of four channels. A thread computes a block of
 * pixels for some groups of outputs; an enlargement by two is four convolutions of 2x2 taps on the map before it.
 */
import { blockOf, outputsOf, type Shape } from "./shapes.js";
import { inputsOf, productsOf, viewsOf, type ConvolutionSpec, type Precision } from "./spec.js";

const range = (count: number) => [...Array(count).keys()];

export function convolutionShader(spec: ConvolutionSpec, shape: Shape, precision: Precision): string {
  return [head(spec, precision), reading(spec), finishing(spec), main(spec, shape, precision)].join("\n");
}

/** To float16's 11 bits, halves to even; what is subnormal is zero. `quantizeToF16` may cut off, and SwiftShader's does. */
const NEAREST = `fn nearest(value: vec4<f32>) -> vec4<f32> {
  let bits = bitcast<vec4<u32>>(value);
  let odd = (bits >> vec4<u32>(13u)) & vec4<u32>(1u);
  let near = bitcast<vec4<f32>>((bits + odd + vec4<u32>(0xfffu)) & vec4<u32>(0xffffe000u));
  return select(near, vec4<f32>(), abs(value) < vec4<f32>(0x1p-14));
}`;

function numberOf(precision: Precision): string {
  return precision === "float16" ? "f16" : "f32";
}

/** What every shader begins with: the job, and the buffers after `before` others. */
export function head(
  spec: Parameters<typeof viewsOf>[0],
  precision: Precision,
  constants = spec.kind === "convolution" ? 2 * spec.outputs : 2,
): string {
  const number = numberOf(precision);
  const first = spec.kind === "convolution" ? 3 : 2;
  const elements = { full: "vec4<f32>", half: `vec4<${number}>`, pixels: "f32" };
  return `${precision === "float16" ? "enable f16;" : ""}
alias V = vec4<${number}>;
alias M = mat4x4<${number}>;
struct View { base: u32, row: u32, plane: u32, unused: u32 }
struct Job { width: u32, height: u32, top: u32, left: u32, views: array<View, ${viewsOf(spec)}> }
@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(1) var<uniform> constants: array<vec4<f32>, ${constants}>;
${spec.kind === "convolution" ? "@group(0) @binding(2) var<storage, read> weights: array<M>;" : ""}
${spec.buffers
  .map(
    ({ element, written }, index) =>
      `@group(0) @binding(${first + index}) var<storage, ${written ? "read_write" : "read"}> b${index}: array<${elements[element]}>;`,
  )
  .join("\n")}
fn place(view: View, group: u32, y: u32, x: u32) -> u32 { return view.base + group * view.plane + y * view.row + x; }
fn rounded(value: vec4<f32>) -> V { return ${precision === "rounded" ? "nearest(value)" : "V(value)"}; }
${precision === "rounded" ? NEAREST : ""}`;
}

/**
 * A pixel of a group of inputs; zero outside, without a branch: what is read there is some value of the buffer. All
 * sources have the same rows and planes.
 */
function reading({ sources }: ConvolutionSpec): string {
  let start = 0;
  const starts: string[] = [];
  const places = sources.map(({ buffer, groups }, index) => {
    const last = index === sources.length - 1;
    const condition = last ? "" : `if (g < ${start + groups}u)`;
    starts.push(`${condition} { return job.views[${index}].base + (g - ${start}u) * job.views[0].plane; }`);
    start += groups;
    return `${condition} { value = b${buffer}[at]; }`;
  });
  return `struct Area { width: u32, height: u32, row: u32 }
fn start(g: u32) -> u32 {
  ${starts.join(" else ")}
}
fn input(area: Area, g: u32, start: u32, y: i32, x: i32) -> V {
  let at = start + u32(y) * area.row + u32(x);
  var value: V;
  ${places.join(" else ")}
  return select(V(), value, u32(y) < area.height && u32(x) < area.width);
}`;
}

/** Bias, activation, residuals, and the result's places. */
function finishing(spec: ConvolutionSpec): string {
  const { sources, residuals, targets, pixels, outputs, enlarge, activation } = spec;
  const lines = residuals.map(({ buffer, channels }, index) => {
    const view = `job.views[${sources.length + index}]`;
    if (channels === undefined) return `let r${index} = b${buffer}[place(${view}, o, y, x)];`;
    const lane = (n: number) => `b${buffer}[at${index} + (4u * o + ${n}u) % ${channels}u]`;
    return `let at${index} = place(${view}, 0u, y, x) * ${channels}u;
  let r${index} = vec4<f32>(${range(4).map(lane).join(", ")});`;
  });
  const sigmoid = "1 / (1 + exp(-value))";
  const activations = {
    none: "",
    prelu: `value = select(constants[${outputs}u + o] * value, value, value >= vec4<f32>());`,
    silu: `value = value * (${sigmoid});`,
    gate: `value = (value + r0) * (${sigmoid} - 0.5);`,
  };
  const sums = residuals.flatMap(({ factor }, index) =>
    activation === "gate" && index === 0 ? [] : [`value = value * ${literal(factor)} + r${index};`],
  );
  const first = sources.length + residuals.length;
  const stores = targets.map((buffer, index) => {
    const value = spec.buffers[buffer]!.element === "half" ? "rounded(value)" : "value";
    return `b${buffer}[place(job.views[${first + index}], o, y, x)] = ${value};`;
  });
  if (pixels) {
    const { buffer, channels, size } = pixels;
    stores.push(`for (var lane = 0u; lane < 4u; lane++) {
    let k = 4u * o + lane;
    let part = k / ${channels}u;
    if (part < ${size * size}u) {
      let at = place(job.views[${first + targets.length}], 0u, y * ${size}u + part / ${size}u, x * ${size}u + part % ${size}u);
      b${buffer}[at * ${channels}u + k % ${channels}u] = value[lane];
    }
  }`);
  }
  return `fn finish(sum: vec4<f32>, y: u32, x: u32, o: u32) {
  if (y >= job.height * ${enlarge}u || x >= job.width * ${enlarge}u) { return; }
  var value = sum + constants[o];
  ${[...lines, activations[activation], ...sums, ...stores].join("\n  ")}
}`;
}

function literal(value: number): string {
  return `f32(${value})`;
}

function main(spec: ConvolutionSpec, shape: Shape, precision: Precision): string {
  const { taps, enlarge } = spec;
  const [across, down] = blockOf(shape, enlarge);
  const together = outputsOf(shape, spec);
  const [threadsX, threadsY] = shape.workgroup;
  const halo = taps === 1 ? 0 : 1;
  const [tileX, tileY] = [threadsX * across, threadsY * down];
  const [width, height] = [tileX + 2 * halo, tileY + 2 * halo];
  const products = productsOf(spec);
  const inputs = inputsOf(spec);
  const phases = range(enlarge);
  const each = (work: (r: number, c: number, dy: number, dx: number, o: number) => string) =>
    range(down).flatMap((r) =>
      range(across).flatMap((c) =>
        phases.flatMap((dy) => phases.flatMap((dx) => range(together).map((o) => work(r, c, dy, dx, o)))),
      ),
    );
  const name = (r: number, c: number, dy: number, dx: number, o: number) => `_${r}_${c}_${dy}_${dx}_${o}`;
  const plain = precision === "float32";
  const weight = (index: string, o: number) =>
    shape.staged
      ? `kept[${o * products}u + ${index}]`
      : `weights[(first + ${o}u) * ${inputs * products}u + g * ${products}u + ${index}]`;
  const pixel = (r: number, c: number) =>
    shape.staged
      ? `tile[(local.y * ${down}u + ${r}u + ky) * ${width}u + local.x * ${across}u + ${c}u]`
      : `input(area, g, begin, i32(y0 + ${r}u + ky) - ${halo}, i32(x0) + ${c - halo})`;
  const add = (sum: string, matrix: string, value: string) =>
    precision === "rounded"
      ? range(4)
          .map((n) => `${sum} = nearest(${sum} + ${matrix}[${n}] * ${value}[${n}]);`)
          .join(" ")
      : `${sum} += ${matrix} * ${value};`;
  const rows = range(down + enlarge - 1);
  const columns = range(across + enlarge - 1 + taps - 1);
  const loads = rows.flatMap((r) => columns.map((c) => `let v_${r}_${c} = ${pixel(r, c)};`));
  const sums = phases.flatMap((dy) =>
    phases.flatMap((dx) =>
      range(taps).flatMap((kx) =>
        range(together).flatMap((o) => {
          const index = `(${(dy * enlarge + dx) * taps}u + ky) * ${taps}u + ${kx}u`;
          const matrix = `m_${dy}_${dx}_${kx}_${o}`;
          return [
            `let ${matrix} = ${weight(index, o)};`,
            ...range(down).flatMap((r) =>
              range(across).map((c) =>
                add(`${plain ? "a" : "h"}${name(r, c, dy, dx, o)}`, matrix, `v_${r + dy}_${c + dx + kx}`),
              ),
            ),
          ];
        }),
      ),
    ),
  );
  const stage = `workgroupBarrier();
    for (var i = index; i < ${width * height}u; i += ${threadsX * threadsY}u) {
      tile[i] = input(area, g, begin, i32(top + i / ${width}u) - ${halo}, i32(left + i % ${width}u) - ${halo});
    }
    for (var i = index; i < ${together * products}u; i += ${threadsX * threadsY}u) {
      kept[i] = weights[((first + i / ${products}u) * ${inputs}u + g) * ${products}u + i % ${products}u];
    }
    workgroupBarrier();`;
  return `${
    shape.staged
      ? `var<workgroup> tile: array<V, ${width * height}>;
var<workgroup> kept: array<M, ${together * products}>;`
      : ""
  }
@compute @workgroup_size(${threadsX}, ${threadsY})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32) {
  let left = job.left + group.x * ${tileX}u;
  let top = job.top + group.y * ${tileY}u;
  let x0 = left + local.x * ${across}u;
  let y0 = top + local.y * ${down}u;
  let first = group.z * ${together}u;
  let area = Area(job.width, job.height, job.views[0].row);
  ${shape.staged ? "" : "if (x0 >= job.width || y0 >= job.height) { return; }"}
  ${each((...at) => `var a${name(...at)} = vec4<f32>();`).join("\n  ")}
  for (var g = 0u; g < ${inputs}u; g++) {
    let begin = start(g);
    ${shape.staged ? stage : ""}
    for (var ky = 0u; ky < ${taps}u; ky++) {
      ${plain ? "" : each((...at) => `var h${name(...at)} = V();`).join("\n    ")}
      ${[...loads, ...sums].join("\n      ")}
      ${plain ? "" : each((...at) => `a${name(...at)} += vec4<f32>(h${name(...at)});`).join("\n    ")}
    }
  }
  ${each(
    (r, c, dy, dx, o) =>
      `finish(a${name(r, c, dy, dx, o)}, (y0 + ${r}u) * ${enlarge}u + ${dy}u, (x0 + ${c}u) * ${enlarge}u + ${dx}u, first + ${o}u);`,
  ).join("\n  ")}
}`;
}
