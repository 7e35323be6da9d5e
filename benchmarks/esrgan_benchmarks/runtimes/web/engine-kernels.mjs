// The kernels of tfjs-esrgan on wasm.

let kernels;
let wanted;

export function start(_backend, threads) {
  wanted = threads;
  return Promise.resolve({ threads: String(crossOriginIsolated ? threads : 1) });
}

export async function load() {
  const { open } = await import("/kernels/kernels.js");
  const read = async (name) => new Uint8Array(await (await fetch(`/artefacts/tfjs/${name}`)).arrayBuffer());
  kernels = await open(read, wanted);
}

export const prepare = (numbers) => numbers;

export async function run(values, [, height, width, channels]) {
  const numbers = await kernels.compute(values, height, width);
  const scale = Math.round(Math.sqrt(numbers.length / values.length));
  return { numbers, shape: [1, height * scale, width * scale, channels] };
}

export const numbers = (answer) => answer.numbers;
