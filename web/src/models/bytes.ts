/**
 * Arrays of an ArrayBuffer of their own, said so that every TypeScript from 5.4 on understands it: before 5.7 these types
 * take no parameter, from 5.9 on a page's functions want it.
 */
export type Bytes = ReturnType<Uint8ArrayConstructor["of"]>;
export type ClampedBytes = ReturnType<Uint8ClampedArrayConstructor["of"]>;
export type Floats = ReturnType<Float32ArrayConstructor["of"]>;
