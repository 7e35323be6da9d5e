// Made by `make wasm`.
/** The version of the structures in `esrgan_torch/engines/native/source/esrgan_native.h` that `runner.ts` writes. */
export const ABI = 4;
