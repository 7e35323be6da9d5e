"""The inference form of RRDBNet on CUDA: what PyTorch does in 700 kernels, in 350 that leave out the rest.

`choose` decides whether a network runs here, `engine` is what `Upscaler` then holds. docs/kernels.md says why
things are as they are. Everything but `choose` needs Triton, so nothing is imported before it is wanted.
"""
