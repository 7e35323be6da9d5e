/**
 * Names of a page's elements, for programs that are compiled without a page's types, as a worker's are; where they are
 * there, these add nothing.
 */
/* eslint-disable @typescript-eslint/no-empty-object-type */
declare global {
  interface HTMLImageElement {}
  interface SVGImageElement {}
  interface HTMLVideoElement {}
  interface HTMLCanvasElement {}
  interface CanvasRenderingContext2D {}
}

export {};
