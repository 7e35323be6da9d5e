// onnxruntime-web on wasm or WebGPU.

const FOLDER = "/npm/onnxruntime-web/dist/";
let ort;
let session;
let provider;

export async function start(backend, threads) {
  provider = backend;
  if (backend === "webgpu" && !(await navigator.gpu?.requestAdapter())) throw new Error("WebGPU finds no graphics adapter");
  ort = await import(`${FOLDER}ort.${backend}.min.mjs`);
  ort.env.wasm.wasmPaths = FOLDER;
  ort.env.wasm.numThreads = threads;
  return { "onnxruntime-web": ort.env.versions.web, threads: String(crossOriginIsolated ? threads : 1) };
}

export async function load() {
  session = await ort.InferenceSession.create("/artefacts/onnx/model.onnx", { executionProviders: [provider] });
}

/** NHWC to NCHW. */
export function prepare(given, [batch, height, width, channels]) {
  const values = new Float32Array(given.length);
  const plane = height * width;
  for (let n = 0; n < batch; n++)
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < plane; i++) values[(n * channels + c) * plane + i] = given[(n * plane + i) * channels + c];
  return new ort.Tensor("float32", values, [batch, channels, height, width]);
}

export async function run(input) {
  const { output } = await session.run({ input });
  const [batch, channels, height, width] = output.dims;
  return { data: output.data, shape: [batch, height, width, channels] };
}

/** NCHW to NHWC. */
export function numbers({ data, shape: [batch, height, width, channels] }) {
  const values = new Float32Array(data.length);
  const plane = height * width;
  for (let n = 0; n < batch; n++)
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < plane; i++) values[(n * plane + i) * channels + c] = data[(n * channels + c) * plane + i];
  return values;
}
