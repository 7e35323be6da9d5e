/** How many multiply-adds a shader gets out of this GPU's arithmetic, without any memory. */

const CHAINS = 8; // of vec4, independent
const STEPS = 2048;
const THREADS = 256;
const LONG_ENOUGH = 20; // ms
const MOST = 2 ** 15; // workgroups

const shader = (type: "f32" | "f16") => {
  const chains = [...Array(CHAINS).keys()];
  return `${type === "f16" ? "enable f16;" : ""}
@group(0) @binding(0) var<storage, read_write> result: array<f32>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let b = vec4<${type}>(${type}(f32(id.x & 7u) * 0.0625));
  ${chains.map((n) => `var a${n} = b + vec4<${type}>(${n});`).join("\n  ")}
  for (var i = 0u; i < ${STEPS}u; i++) {
    ${chains.map((n) => `a${n} = fma(a${n}, b, b);`).join(" ")}
  }
  let sum = ${chains.map((n) => `a${n}`).join(" + ")};
  result[id.x % 256u] = f32(sum.x + sum.y + sum.z + sum.w);
}`;
};

/** Floating point operations a second, of which a multiply-add is two. */
export async function measuredPeak(
  gpu: GPU,
  type: "f32" | "f16",
): Promise<{ flops?: number; error?: string; device: string }> {
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error("WebGPU finds no graphics adapter");
  const { vendor, architecture, description } = adapter.info;
  const name = [vendor, architecture, description].filter(Boolean).join(" ");
  if (type === "f16" && !adapter.features.has("shader-f16"))
    return { error: "this device has no shader-f16", device: name };
  const device = await adapter.requestDevice({ requiredFeatures: type === "f16" ? ["shader-f16"] : [] });
  try {
    const module = device.createShaderModule({ code: shader(type) });
    const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module } });
    const buffer = device.createBuffer({ size: 1024, usage: GPUBufferUsage.STORAGE });
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer } }],
    });
    const run = async (groups: number): Promise<number> => {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(groups);
      pass.end();
      const began = performance.now();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      return performance.now() - began;
    };
    let groups = 1;
    while ((await run(groups)) < LONG_ENOUGH && groups < MOST) groups *= 2;
    const times = [await run(groups), await run(groups), await run(groups)];
    return { flops: (2 * 4 * CHAINS * STEPS * THREADS * groups * 1000) / Math.min(...times), device: name };
  } finally {
    device.destroy();
  }
}
