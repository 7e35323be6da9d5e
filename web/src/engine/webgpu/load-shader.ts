/** WGSL that reads the picture into groups of channels: folded, shifted and stretched as the network wants it. */
import { head } from "./shader.js";
import type { LoadSpec, Precision } from "./spec.js";

export const LOAD_WORKGROUP = [8, 8] as const;

export function loadShader(spec: LoadSpec, precision: Precision): string {
  const { channels, fold, normalised } = spec;
  const folded = channels * fold ** 2;
  const groups = Math.ceil(folded / 4);
  const value = (k: number): string => {
    if (k >= folded) return "0";
    const [c, dy, dx] = [Math.floor(k / fold ** 2), Math.floor(k / fold) % fold, k % fold];
    const read = `b0[place(job.views[0], 0u, y * ${fold}u + ${dy}u, x * ${fold}u + ${dx}u) * ${channels}u + ${c}u]`;
    return normalised ? `(${read} + constants[0][${c}]) * constants[1][${c}]` : read;
  };
  const store = spec.buffers[1]!.element === "half" ? "rounded" : "vec4<f32>";
  const lines = Array.from({ length: groups }, (_, group) => {
    const lanes = [0, 1, 2, 3].map((lane) => value(4 * group + lane));
    return `b1[place(job.views[1], ${group}u, y, x)] = ${store}(vec4<f32>(${lanes.join(", ")}));`;
  });
  return `${head(spec, precision)}
@compute @workgroup_size(${LOAD_WORKGROUP.join(", ")})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let x = id.x + job.left;
  let y = id.y + job.top;
  if (x >= job.width || y >= job.height) { return; }
  ${lines.join("\n  ")}
}`;
}
