/**
 * A picture between the browser's bitmaps and the buffers that a program reads and writes: its pixels stay on the GPU. Of
 * them the processor learns whether any is transparent, coloured, or another than the first.
 */
import { NonFiniteError } from "../../errors.js";
import { NOT_FINITE } from "../network.js";
import type { Machine } from "./device.js";
import { MAP_READ, TEXTURE, USAGE } from "./device.js";
import type { Pool } from "./pool.js";

const [TRANSPARENT, COLOURED, VARIED, BROKEN] = [1, 2, 4, 8];
const SIDE = 8; // threads of a workgroup

const LOAD = `
struct Job { height: u32, width: u32, rows: u32, columns: u32 }
@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(1) var<storage, read_write> seen: atomic<u32>;
@group(0) @binding(2) var<storage, read_write> picture: array<f32>;
@group(0) @binding(3) var given: texture_2d<f32>;
fn mirrored(at: u32, size: u32, whole: u32) -> u32 {
  if (at < size) { return at; }
  return select(size - 1u, 2u * (size - 1u) - at, whole - size < size);
}
fn bytes(x: u32, y: u32) -> vec4<f32> { return round(255 * textureLoad(given, vec2<u32>(x, y), 0)); }
@compute @workgroup_size(${SIDE}, ${SIDE})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= job.columns || id.y >= job.rows) { return; }
  let pixel = bytes(mirrored(id.x, job.width, job.columns), mirrored(id.y, job.height, job.rows));
  let at = 3u * (id.y * job.columns + id.x);
  for (var c = 0u; c < 3u; c++) { picture[at + c] = pixel[c] / 255; }
  let bits = select(0u, ${TRANSPARENT}u, pixel.a < 255)
    | select(0u, ${COLOURED}u, any(pixel.rgb != pixel.rrr))
    | select(0u, ${VARIED}u, any(pixel.rgb != bytes(0u, 0u).rgb));
  if ((bits & ~atomicLoad(&seen)) != 0u) { atomicOr(&seen, bits); }
}`;

const STORE = `
struct Job { height: u32, width: u32, first: u32, row: u32, top: u32, left: u32, gray: u32, unused: u32 }
@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(1) var<storage, read_write> seen: atomic<u32>;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var drawn: texture_storage_2d<rgba8unorm, write>;
@compute @workgroup_size(${SIDE}, ${SIDE})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= job.width || id.y >= job.height) { return; }
  let at = 3u * (job.first + id.y * job.row + id.x);
  let value = vec3<f32>(values[at], values[at + 1u], values[at + 2u]);
  // by its bits: a compiler may take for granted that numbers are finite
  let size = bitcast<vec3<u32>>(value) & vec3<u32>(0x7f800000u);
  if (any(size == vec3<u32>(0x7f800000u))) { atomicOr(&seen, ${BROKEN}u); }
  var colour = clamp(value, vec3<f32>(), vec3<f32>(1));
  if (job.gray == 1u) { colour = vec3<f32>(dot(colour, vec3<f32>(0.299, 0.587, 0.114))); }
  textureStore(drawn, vec2<u32>(job.left + id.x, job.top + id.y), vec4<f32>(round(255 * colour) / 255, 1));
}`;

/** What is seen of a picture. */
export interface Seen {
  readonly transparent: boolean;
  readonly coloured: boolean;
  /** Not of one colour all over. */
  readonly varied: boolean;
}

/** Where a tile's pixels are in the result's buffer, and where they belong. */
export interface Placed {
  /** Its pixels: the first one's number, and of a row. */
  readonly first: number;
  readonly row: number;
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** The two shaders, for all pictures. */
export class TextureShaders {
  private constructor(
    readonly load: GPUComputePipeline,
    readonly store: GPUComputePipeline,
  ) {}

  static async compile({ device }: Machine): Promise<TextureShaders> {
    const pipeline = (code: string) =>
      device.createComputePipelineAsync({
        layout: "auto",
        compute: { module: device.createShaderModule({ code }), entryPoint: "main" },
      });
    const [load, store] = await Promise.all([pipeline(LOAD), pipeline(STORE)]);
    return new TextureShaders(load, store);
  }
}

/** One picture's textures. */
export class Textures {
  private constructor(
    private readonly machine: Machine,
    private readonly pool: Pool,
    private readonly shaders: TextureShaders,
    private readonly given: GPUTexture,
    private readonly drawn: GPUTexture,
    private readonly job: GPUBuffer,
    private readonly seen: GPUBuffer,
    private readonly staging: GPUBuffer,
  ) {}

  /**
   * @param height, width of the picture that is given
   * @throws Error out of memory
   */
  static async open(
    machine: Machine,
    pool: Pool,
    shaders: TextureShaders,
    height: number,
    width: number,
    scale: number,
  ): Promise<Textures> {
    const { device } = machine;
    device.pushErrorScope("out-of-memory");
    const texture = (factor: number, usage: number) =>
      device.createTexture({ size: [factor * width, factor * height], format: "rgba8unorm", usage });
    const textures = new Textures(
      machine,
      pool,
      shaders,
      texture(1, TEXTURE.copyTarget | TEXTURE.binding | TEXTURE.attachment),
      texture(scale, TEXTURE.copySource | TEXTURE.storage),
      device.createBuffer({ size: 32, usage: USAGE.uniform | USAGE.copyTarget }),
      device.createBuffer({ size: 4, usage: USAGE.storage | USAGE.copySource | USAGE.copyTarget }),
      device.createBuffer({ size: 4, usage: USAGE.mapRead | USAGE.copyTarget }),
    );
    const error = await machine.orLost(device.popErrorScope());
    if (!error) return textures;
    textures.close();
    throw new Error(`out of memory: ${error.message}`);
  }

  /** Fill the buffer "picture" with rows x columns pixels, of which those beyond the bitmap mirror it. */
  async load(
    bitmap: ImageBitmap,
    colorSpace: PredefinedColorSpace,
    rows: number,
    columns: number,
  ): Promise<Seen> {
    const { height, width } = bitmap;
    this.machine.device.queue.copyExternalImageToTexture(
      { source: bitmap },
      { texture: this.given, colorSpace },
      [width, height],
    );
    this.compute(this.shaders.load, [height, width, rows, columns], "picture", this.given, rows, columns);
    const seen = await this.look();
    return {
      transparent: (seen & TRANSPARENT) !== 0,
      coloured: (seen & COLOURED) !== 0,
      varied: (seen & VARIED) !== 0,
    };
  }

  /** Put a tile of the buffer "result" where it belongs. */
  store({ first, row, top, left, height, width }: Placed, gray: boolean): void {
    const job = [height, width, first, row, top, left, Number(gray), 0];
    this.compute(this.shaders.store, job, "result", this.drawn, height, width);
  }

  /**
   * @param context of a canvas as large as the result
   * @throws NonFiniteError
   * @throws Error out of memory
   */
  async finish(context: GPUCanvasContext, colorSpace: PredefinedColorSpace): Promise<ImageBitmap> {
    if ((await this.look()) & BROKEN) throw new NonFiniteError(NOT_FINITE);
    const { machine } = this;
    const { device } = machine;
    const { width, height } = this.drawn;
    device.pushErrorScope("validation");
    device.pushErrorScope("out-of-memory");
    const usage = TEXTURE.copyTarget | TEXTURE.attachment;
    context.configure({ device, format: "rgba8unorm", usage, colorSpace, alphaMode: "opaque" });
    const encoder = device.createCommandEncoder();
    encoder.copyTextureToTexture({ texture: this.drawn }, { texture: context.getCurrentTexture() }, [
      width,
      height,
    ]);
    device.queue.submit([encoder.finish()]);
    const bitmap = (context.canvas as OffscreenCanvas).transferToImageBitmap();
    context.unconfigure();
    try {
      const errors = await machine.orLost(Promise.all([device.popErrorScope(), device.popErrorScope()]));
      const failure = errors.find((error) => error !== null);
      if (failure) throw new Error(`out of memory: ${failure.message}`);
      return bitmap;
    } catch (error) {
      bitmap.close(); // it is blank
      throw error;
    }
  }

  close(): void {
    for (const one of [this.given, this.drawn, this.job, this.seen, this.staging]) one.destroy();
  }

  private compute(
    pipeline: GPUComputePipeline,
    job: readonly number[],
    buffer: "picture" | "result",
    texture: GPUTexture,
    height: number,
    width: number,
  ): void {
    const { device } = this.machine;
    device.queue.writeBuffer(this.job, 0, Uint32Array.from(job));
    const resources = [
      { buffer: this.job },
      { buffer: this.seen },
      { buffer: this.pool.get(buffer) },
      texture.createView(),
    ];
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: resources.map((resource, binding) => ({ binding, resource })),
    });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(Math.ceil(width / SIDE), Math.ceil(height / SIDE));
    pass.end();
    device.queue.submit([encoder.finish()]);
  }

  private async look(): Promise<number> {
    const { device } = this.machine;
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.seen, 0, this.staging, 0, 4);
    device.queue.submit([encoder.finish()]);
    await this.machine.orLost(this.staging.mapAsync(MAP_READ));
    const [seen] = new Uint32Array(this.staging.getMappedRange());
    this.staging.unmap();
    return seen!;
  }
}
