// The shaders of tfjs-esrgan on WebGPU.

let shaders;

export async function start() {
  if (!(await navigator.gpu?.requestAdapter())) throw new Error("WebGPU finds no graphics adapter");
  return {};
}

export async function load() {
  const { open } = await import("/kernels/shaders.js");
  const read = async (name) => new Uint8Array(await (await fetch(`/artefacts/tfjs/${name}`)).arrayBuffer());
  shaders = await open(read);
  console.log(shaders.facts);
}

export const prepare = (numbers) => numbers;

export async function run(values, [, height, width, channels]) {
  const numbers = await shaders.compute(values, height, width);
  const scale = Math.round(Math.sqrt(numbers.length / values.length));
  return { numbers, shape: [1, height * scale, width * scale, channels] };
}

export const numbers = (answer) => answer.numbers;
