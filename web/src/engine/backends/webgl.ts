import type { MathBackendWebGL } from "@tensorflow/tfjs-backend-webgl";
import "@tensorflow/tfjs-backend-webgl";
import * as tf from "@tensorflow/tfjs-core";
import type { Backend } from "../backend.js";

/** WebGL 2, or 1 on old devices. */
export const webgl: Backend = {
  name: "webgl",
  tfName: "webgl",
  budget: 2 ** 30,
  im2col: true,
  deferred: true,
  keepsAddresses: false,
  prepare() {
    if (!tf.env().getNumber("WEBGL_VERSION")) throw new Error("WebGL is not available here");
    return Promise.resolve();
  },
  isLost() {
    const backend = tf.findBackend("webgl") as { gpgpu?: MathBackendWebGL["gpgpu"] } | null;
    return backend?.gpgpu?.gl.isContextLost() ?? false;
  },
};
