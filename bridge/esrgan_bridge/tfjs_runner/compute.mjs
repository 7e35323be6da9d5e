// The computation, the same in Node and in a page: one batch through a part of the graph.

/**
 * @param tf     TF.js
 * @param model  a GraphModel
 * @param batch  Float32Array, NHWC
 * @param shape  of the batch
 * @param feed   "input", or the node that the batch stands for
 * @param fetch  "output", or the node that is wanted
 * @param layout of the model: "NHWC" or "NCHW"
 * @returns {Promise<{numbers: Float32Array, shape: number[]}>} NHWC again
 */
export async function compute(tf, model, batch, shape, feed, fetch, layout) {
  const before = tf.memory().numTensors;
  const output = tf.tidy(() => {
    const given = tf.tensor(batch, shape, "float32");
    const turned = layout === "NCHW" ? tf.transpose(given, [0, 3, 1, 2]) : given;
    const from = feed === "input" ? model.inputs[0].name : feed;
    const to = fetch === "output" ? model.outputs[0].name : fetch;
    const result = model.execute({ [from]: turned }, to);
    return layout === "NCHW" ? tf.transpose(result, [0, 2, 3, 1]) : result;
  });
  const numbers = await output.data();
  const answer = { numbers, shape: output.shape };
  output.dispose();
  const left = tf.memory().numTensors - before;
  if (left !== 0) throw new Error(`${left} tensors were left over`);
  return answer;
}
