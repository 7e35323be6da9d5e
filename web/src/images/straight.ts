/**
 * Colours under transparency as a file has them: a 2D canvas multiplies them by alpha, and of what is nearly clear only a few
 * levels are left. WebGL reads them as they are.
 */
import type { ClampedBytes } from "../models/bytes.js";
import { canvasOf } from "./canvas.js";
import type { Picture } from "./pixels.js";

/**
 * @param bitmap made with `premultiplyAlpha: "none"`
 * @param drawn the same as a canvas gave it
 * @returns the exact picture, or the one drawn where this browser does not give it
 */
export function withStraightColours(bitmap: ImageBitmap, drawn: Picture): Picture {
  try {
    const data = read(bitmap, drawn.width, drawn.height);
    return data && isTheSame(data, drawn.data) ? { ...drawn, data } : drawn;
  } catch {
    return drawn; // no WebGL, or too little memory for it
  }
}

function read(bitmap: ImageBitmap, width: number, height: number): ClampedBytes | undefined {
  const gl: unknown = canvasOf(1, 1).getContext("webgl2");
  if (!(gl instanceof WebGL2RenderingContext)) return undefined;
  try {
    if (Math.max(width, height) > gl.getParameter(gl.MAX_TEXTURE_SIZE)) return undefined;
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
    gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
    const texture = gl.getParameter(gl.TEXTURE_BINDING_2D) as WebGLTexture;
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
    if (gl.checkFramebufferStatus(gl.FRAMEBUFFER) !== gl.FRAMEBUFFER_COMPLETE) return undefined;
    const bytes = new Uint8Array(4 * width * height);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
    return gl.getError() === gl.NO_ERROR ? new Uint8ClampedArray(bytes.buffer) : undefined;
  } finally {
    gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

/** Browsers may pass over what was asked of the bitmap: both must look alike. */
function isTheSame(straight: ClampedBytes, drawn: ClampedBytes): boolean {
  const CLOSE = 2 * 255; // two levels of what is seen
  for (let at = 0; at < drawn.length; at += 4) {
    const alpha = drawn[at + 3]!;
    if (straight[at + 3] !== alpha) return false;
    for (let c = at; c < at + 3; c++) if (Math.abs(straight[c]! - drawn[c]!) * alpha > CLOSE) return false;
  }
  return true;
}
