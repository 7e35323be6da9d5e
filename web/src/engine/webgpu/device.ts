/** A GPU: how one is had, what it offers, and whether it is still there. */
import { messageOf } from "../../errors.js";

/** Bits of WebGPU's flags, which Node has no names for. */
export const USAGE = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128 } as const;
export const TEXTURE = { copySource: 1, copyTarget: 2, binding: 4, storage: 8, attachment: 16 } as const;
export const MAP_READ = 1;
export const COMPUTE_STAGE = 4;

/** Where GPUs come from: `navigator.gpu`, or Node's package `webgpu`. Throws with a reason where there is none. */
export type Provider = () => Promise<GPU>;

export const pageProvider: Provider = () => {
  const gpu = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  return gpu ? Promise.resolve(gpu) : Promise.reject(new Error("WebGPU is not available here"));
};
let provider = pageProvider;

/** Take GPUs from elsewhere than a page does. */
export function useProvider(other: Provider): void {
  provider = other;
}

interface Info {
  readonly vendor?: string;
  readonly architecture?: string;
  readonly description?: string;
  readonly isFallbackAdapter?: boolean;
}

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render/i;
const WANTED = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupStorageSize",
  "maxTextureDimension2D",
] as const;

export class Machine {
  private failure: Error | undefined;
  private gone = false;
  private readonly loss: Promise<never>;

  private constructor(
    readonly device: GPUDevice,
    readonly vendor: string,
    /** What tells this kind of adapter from others. */
    readonly name: string,
    /** Whether a processor only pretends to be a GPU. */
    readonly software: boolean,
  ) {
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.failure ??= new Error(messageOf(event.error));
    });
    this.loss = device.lost.then(({ message }) => {
      this.gone = true;
      throw new Error(`the device was lost${message ? `: ${message}` : ""}`);
    });
    this.loss.catch(() => undefined);
  }

  /** @throws Error there is no WebGPU, or it offers nothing */
  static async open(): Promise<Machine> {
    const gpu = await provider();
    const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) throw new Error("WebGPU finds no graphics adapter");
    const { info } = adapter as { info?: Info };
    const { vendor = "", architecture = "", description = "" } = info ?? {};
    const name = [vendor, architecture, description].filter(Boolean).join(" ");
    const features = ["shader-f16" as const].filter((feature) => adapter.features.has(feature));
    const device = await adapter.requestDevice({
      requiredFeatures: features,
      requiredLimits: Object.fromEntries(WANTED.map((limit) => [limit, adapter.limits[limit]])),
    });
    const fallback =
      info?.isFallbackAdapter ?? (adapter as { isFallbackAdapter?: boolean }).isFallbackAdapter;
    return new Machine(
      device,
      vendor,
      name || "a GPU without a name",
      (fallback ?? false) || SOFTWARE.test(name),
    );
  }

  get hasHalf(): boolean {
    return this.device.features.has("shader-f16");
  }

  /** Bytes of the largest buffer that a shader can use. */
  get largest(): number {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits;
    return Math.min(maxBufferSize, maxStorageBufferBindingSize);
  }

  isLost(): boolean {
    return this.gone;
  }

  /** Until all that was submitted is computed. @throws Error the device was lost, or refused something */
  async finished(): Promise<void> {
    await this.orLost(this.device.queue.onSubmittedWorkDone());
  }

  /** A lost device may answer never. */
  async orLost<T>(work: Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await Promise.race([work, this.loss]);
    } catch (error) {
      // what was under way may fail before its device tells that it is gone
      await Promise.race([this.loss, new Promise((resolve) => setTimeout(resolve, 0))]);
      throw error;
    }
    if (this.failure) throw this.failure;
    return result;
  }

  close(): void {
    this.device.destroy();
  }
}
