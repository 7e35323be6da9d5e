// Both forms of nearest x2 and a 3x3 convolution in TF.js on wasm, in turn; see upsampling.py.
//     node upsampling.mjs PACKAGES SIZE ROUNDS
// prints {"seconds": {"one": [...], "phases": [...]}, "difference": number}.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const CHANNELS = 64;
const [packages, size, rounds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const require = createRequire(join(packages, "package.json"));
const tf = require("@tensorflow/tfjs-core");
const wasm = require("@tensorflow/tfjs-backend-wasm");
wasm.setWasmPaths(dirname(require.resolve("@tensorflow/tfjs-backend-wasm")) + "/");
await tf.setBackend("wasm");
await tf.ready();

const kernel = tf.mul(tf.randomNormal([3, 3, CHANNELS, CHANNELS], 0, 1, "float32", 1), 1 / 24);
const batch = tf.randomUniform([1, size, size, CHANNELS], 0, 1, "float32", 2);
// along an axis, the kernel's three weights become two: [0, 1 + 2] for the first pixel, [0 + 1, 2] for the second
const halves = (values, axis) => {
  const [first, second, third] = tf.split(values, 3, axis);
  return [tf.concat([first, tf.add(second, third)], axis), tf.concat([tf.add(first, second), third], axis)];
};
const weights = halves(kernel, 0).flatMap((rows) => halves(rows, 1));
const pads = [0, 1, 2, 3].map((phase) => {
  const [down, right] = [phase >> 1, phase & 1];
  return [[0, 0], [1 - down, down], [1 - right, right], [0, 0]];
});

const forms = {
  one: () => tf.conv2d(tf.image.resizeNearestNeighbor(batch, [2 * size, 2 * size]), kernel, 1, "same"),
  phases: () => tf.depthToSpace(tf.concat(weights.map((weight, i) => tf.conv2d(batch, weight, 1, pads[i])), 3), 2, "NHWC"),
};

const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(forms.one(), forms.phases()))).dataSync()[0]);
const seconds = { one: [], phases: [] };
for (let round = 0; round < rounds; round++) {
  for (const [name, form] of Object.entries(forms)) {
    const start = performance.now();
    const result = tf.tidy(form);
    result.dataSync();
    seconds[name].push((performance.now() - start) / 1000);
    result.dispose();
  }
}
console.log(JSON.stringify({ seconds, difference }));
