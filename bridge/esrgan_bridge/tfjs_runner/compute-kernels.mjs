// As compute.mjs, by the kernels of tfjs-esrgan: whole networks, picture by picture.

/** Whether an error says that the kernels do not know this form of graph: then there is nothing to compare. */
export const isOfAnotherForm = ({ name }) => name === "Unsupported" || name === "ModelError";

/** @returns {Promise<{numbers: Float32Array, shape: number[]}>} NHWC */
export async function computeByKernels(kernels, batch, [count, height, width, channels], feed, fetch) {
  if (feed !== "input" || fetch !== "output") throw new Error(`whole networks alone are computed, not ${feed} to ${fetch}`);
  const size = height * width * channels;
  const results = [];
  for (let n = 0; n < count; n++) results.push(await kernels.compute(batch.subarray(n * size, (n + 1) * size), height, width));
  const numbers = new Float32Array(results.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const result of results) {
    numbers.set(result, offset);
    offset += result.length;
  }
  const factor = Math.round(Math.sqrt(numbers.length / batch.length));
  return { numbers, shape: [count, height * factor, width * factor, channels] };
}
