/**
 * A GPU for tests in Node: Dawn by the package `webgpu`, on SwiftShader, a Vulkan driver that comes with Chromium and
 * computes by the processor. `VULKAN_DRIVER=/path/to/icd.json` takes another, such as Mesa's lavapipe.
 */
import { existsSync } from "node:fs";
import { Machine, useProvider } from "../src/engine/webgpu/device.js";
import { nodeProvider } from "../src/engine/webgpu/node.js";

const PLACES = [process.env["VULKAN_DRIVER"], "/usr/lib/chromium/vk_swiftshader_icd.json"];

const driver = PLACES.find((place) => place !== undefined && existsSync(place));
// before Vulkan's loader reads them
if (driver) process.env["VK_DRIVER_FILES"] = process.env["VK_ICD_FILENAMES"] = driver;

async function found(): Promise<boolean> {
  let reason = "no driver of Chromium's, and no VULKAN_DRIVER=/path/to/icd.json";
  if (driver) {
    useProvider(nodeProvider);
    try {
      const machine = await Machine.open();
      machine.close();
      return true;
    } catch (error) {
      reason = String(error);
    }
  }
  const line = `NO GPU ON THIS MACHINE, NOT EVEN AN EMULATED ONE: tests of WebGPU do not run (${reason})`;
  if (process.env["CI"]) throw new Error(line);
  console.error(`\n${"!".repeat(line.length)}\n${line}\n${"!".repeat(line.length)}\n`);
  return false;
}

/** Whether there is something to test with. */
export const hasGpu = await found();
