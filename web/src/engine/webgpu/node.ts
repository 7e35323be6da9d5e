/** GPUs in Node, by the package `webgpu` (Dawn for Node), if it is installed. */
import { messageOf } from "../../errors.js";
import type { Provider } from "./device.js";

let opened: Promise<GPU> | undefined;

/** @throws Error the package is not installed, or has no library for this machine */
export const nodeProvider: Provider = () => (opened ??= open());

async function open(): Promise<GPU> {
  const name: string = "webgpu";
  try {
    const dawn = (await import(name)) as { create: (options: string[]) => GPU };
    return dawn.create([]);
  } catch (error) {
    if ((error as { code?: string }).code === "ERR_MODULE_NOT_FOUND")
      throw new Error("the package webgpu is not installed (npm install webgpu)");
    throw new Error(`the package webgpu does not start on this machine: ${messageOf(error)}`);
  }
}
