// The page's side: start an engine, load the network, compute batches and tell the seconds.

const ENGINES = {
  "tfjs-wasm": ["/engine-tfjs.mjs", "wasm"],
  "tfjs-webgl": ["/engine-tfjs.mjs", "webgl"],
  "tfjs-webgpu": ["/engine-tfjs.mjs", "webgpu"],
  "kernels-wasm": ["/engine-kernels.mjs", "wasm"],
  "shaders-webgpu": ["/engine-shaders.mjs", "webgpu"],
  "ort-wasm": ["/engine-ort.mjs", "wasm"],
  "ort-webgpu": ["/engine-ort.mjs", "webgpu"],
};
let engine;

/** {facts} where the engine runs, {missing} with the reason where it does not. */
window.start = async (name, threads) => {
  try {
    const [module, backend] = ENGINES[name];
    engine = await import(module);
    return { facts: await engine.start(backend, threads) };
  } catch (error) {
    return { missing: String(error?.message ?? error) };
  }
};

window.load = () => engine.load();

window.run = async ({ batch, shape, result }) => {
  const given = new Float32Array(await (await fetch(batch)).arrayBuffer());
  const prepared = engine.prepare(given, shape);
  const started = performance.now();
  const answer = await engine.run(prepared, shape);
  const seconds = (performance.now() - started) / 1000;
  await fetch(result, { method: "POST", body: engine.numbers(answer) });
  return { shape: answer.shape, seconds };
};

/** Add a classic script to the page. */
export function addScript(path) {
  return new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.src = path;
    element.onload = resolve;
    element.onerror = () => reject(new Error(`cannot load ${path}`));
    document.head.append(element);
  });
}
