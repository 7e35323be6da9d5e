/** Buffers that all sizes of pictures share: each is as large as the largest that was asked for. */
import type { Machine } from "./device.js";
import { USAGE } from "./device.js";

export type BufferName = number | "picture" | "features" | "result" | "staging";

const { mapRead, copySource, copyTarget, storage } = USAGE;

export class Pool {
  /** Counts changes: what was made of the buffers before is of no use then. */
  version = 0;
  private readonly buffers = new Map<BufferName, GPUBuffer>();

  constructor(private readonly machine: Machine) {}

  /** @throws Error out of memory */
  async ensure(wanted: ReadonlyMap<BufferName, number>): Promise<void> {
    const { device, largest } = this.machine;
    const missing = [...wanted].filter(([name, bytes]) => (this.buffers.get(name)?.size ?? 0) < bytes);
    if (!missing.length) return;
    this.version++;
    for (const [name, bytes] of missing) {
      if (bytes > largest)
        throw new Error(
          `out of memory: a buffer of ${bytes} bytes is needed, and this device allows ${largest}`,
        );
      this.buffers.get(name)?.destroy();
      this.buffers.delete(name);
    }
    device.pushErrorScope("out-of-memory");
    for (const [name, bytes] of missing) {
      const usage = name === "staging" ? mapRead | copyTarget : storage | copySource | copyTarget;
      this.buffers.set(name, device.createBuffer({ size: bytes, usage }));
    }
    const error = await this.machine.orLost(device.popErrorScope());
    if (!error) return;
    for (const [name] of missing) {
      this.buffers.get(name)?.destroy();
      this.buffers.delete(name);
    }
    throw new Error(`out of memory: ${error.message}`);
  }

  get(name: BufferName): GPUBuffer {
    const buffer = this.buffers.get(name);
    if (!buffer) throw new Error(`there is no buffer ${name}`);
    return buffer;
  }

  close(): void {
    for (const buffer of this.buffers.values()) buffer.destroy();
    this.buffers.clear();
  }
}
